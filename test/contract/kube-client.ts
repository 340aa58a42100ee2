import { connect } from '../../src/kube/client/connect.ts';
import { type ApiFailure, apiFailureOf } from '../../src/kube/client/failure.ts';
import { resolveAccess } from '../../src/kube/kubeconfig/resolve.ts';
import type { Surroundings } from '../../src/kube/kubeconfig/surroundings.ts';
import type { Cluster, KubeObject, ObjectRef } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';

export interface Wishes extends Partial<Surroundings> {
  readonly context?: string;
  readonly timeoutMs?: number;
  /** Really waits between two tries; otherwise the pauses are only written down. */
  readonly patient?: boolean;
}

/** The real client, as a command opens it, with the world and the time in the test's hands. */
export async function openClient(
  kubeconfig: string | undefined,
  { context, timeoutMs = 10_000, patient = false, ...surroundings }: Wishes = {},
): Promise<Cluster & { readonly pauses: readonly number[] }> {
  const pauses: number[] = [];
  const access = await resolveAccess(
    { context, kubeconfig },
    {
      env: {},
      homeDir: '/nowhere',
      serviceAccountDir: '/nowhere',
      now: () => new Date(),
      isInteractive: () => false,
      ...surroundings,
    },
  );
  const cluster = connect(access, {
    timeoutMs,
    version: '1.2.3',
    random: () => 0.5,
    sleep: (ms, signal) => {
      pauses.push(ms);
      return sleep(patient ? ms : 1, signal);
    },
  });
  return { ...cluster, pauses };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly failure: ApiFailure | undefined;
}

/** The error that a call ends in; a call that succeeds fails the test. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const error = await call.then(
    (value) => {
      throw new Error(`it succeeded: ${JSON.stringify(value)}`);
    },
    (thrown: unknown) => thrown,
  );
  const { code, message, hint } = error as { code: string; message: string; hint: string };
  return { code, message, hint, failure: apiFailureOf(error) };
}

export const namespace = 'dapr-system';
export const secretRef: ObjectRef = { resource: resources.secrets, namespace, name: 'dapr-trust-bundle' };
export const configMapRef: ObjectRef = { resource: resources.configMaps, namespace, name: 'dapr-trust-bundle' };

export interface ConfigMap extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}

export function configMap(name: string, data: Record<string, string> = { 'ca.crt': 'anchors' }): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}
