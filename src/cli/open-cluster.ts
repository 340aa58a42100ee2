import { homedir } from 'node:os';
import { connect } from '../kube/client/connect.ts';
import type { Access } from '../kube/kubeconfig/access.ts';
import { resolveAccess } from '../kube/kubeconfig/resolve.ts';
import type { Cluster } from '../kube/port.ts';
import { mark } from './timings.ts';

declare const DAPR_MTLS_VERSION: string;

/** The flags by which a command is told its cluster (`clusterFlags`). */
export interface ClusterFlags {
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly 'request-timeout': number;
}

/**
 * Nothing is sent yet.
 * @param impersonation headers to act as somebody else by, instead of those of the kubeconfig
 * @throws DaprMtlsError `cluster.kubeconfig`, `cluster.credentials`
 */
export async function openCluster(
  flags: ClusterFlags,
  env: NodeJS.ProcessEnv,
  impersonation?: Access['headers'],
): Promise<Cluster> {
  const { context, kubeconfig } = flags;
  const access = await resolveAccess(
    { context, kubeconfig },
    {
      env,
      homeDir: homedir(),
      serviceAccountDir: '/var/run/secrets/kubernetes.io/serviceaccount',
      now: () => new Date(),
      isInteractive: () => process.stdin.isTTY,
    },
  );
  return connect(impersonation ? { ...access, headers: impersonation } : access, {
    timeoutMs: flags['request-timeout'] * 1000,
    version: typeof DAPR_MTLS_VERSION === 'string' ? DAPR_MTLS_VERSION : 'unbuilt',
    random: Math.random,
    sleep,
    mark,
  });
}

/** Ends early, without an error, when the signal comes. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
