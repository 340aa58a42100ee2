import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Admin, clusterEnv, openAdmin, runProgram } from './admin.ts';
import { type Authority, makeAuthority } from './authority.ts';
import { buildPrograms, type ClusterProgram } from './build-programs.ts';
import { planControlPlane } from './control-plane.ts';
import { startGuard } from './guard.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { addNodes } from './nodes.ts';
import { type Service, startService } from './service.ts';
import { addUser, type Grant, type UserOptions } from './users.ts';
import { waitUntil } from './wait.ts';

export interface ClusterOptions {
  /** Further flags of kube-apiserver, such as `--max-requests-inflight=50`. */
  readonly apiServerFlags?: readonly string[];
  /** How many simulated nodes there are; 2 unless told. */
  readonly nodes?: number;
}

/** A real control plane on 127.0.0.1, whose nodes are simulated. */
export interface TestCluster {
  /** Path of a kubeconfig that may do everything, by client certificate. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  /** Where everything of the cluster lies; gone after `stop`. */
  readonly folder: string;
  /** Path of the certificate that signed the API server's and the users'. */
  readonly caFile: string;
  readonly authority: Authority;
  readonly admin: Admin;
  /** Makes a user who may do exactly that, and returns the path of a kubeconfig. */
  addUser(name: string, grants: readonly Grant[], options?: UserOptions): Promise<string>;
  /** Runs helm and returns what it prints. */
  helm(args: readonly string[]): Promise<string>;
  /** Kills the API server, and starts it again after a time: what etcd holds is kept. Returns when it is ready. */
  restartApiServer(awayMs: number): Promise<void>;
  /** Aborted as soon as the cluster is being stopped. */
  readonly stopped: AbortSignal;
  stop(): Promise<void>;
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, and waits until pods
 * can run. They end with the tests, however these end. It takes about five seconds.
 * @throws Error with the last words of the program that did not come up
 */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const programs = await buildPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-cluster-'));
  const guard = startGuard(folder);
  const services: Service[] = [];
  const start = (name: ClusterProgram, args: readonly string[]) => {
    const service = startService(name, programs[name], args, { folder, guard });
    services.push(service);
    return service;
  };
  const stop = async () => {
    // Clients first: none of them has to learn that its server is gone.
    for (const service of services.reverse()) await service.stop();
    guard.dismiss();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const authority = makeAuthority();
    const identity = authority.issueClient('admin', ['system:masters']);
    const caCertificate = authority.certificate;
    const caFile = join(folder, 'ca.crt');
    writeFileSync(caFile, caCertificate);
    const kubeconfig = join(folder, 'admin.kubeconfig');
    const plan = await planControlPlane(folder, authority, { caFile, kubeconfig });
    const { server } = plan;
    writeKubeconfig(kubeconfig, { server, caCertificate, user: 'admin', credentials: identity });
    const admin = openAdmin({ server, caCertificate, identity, kubeconfig, kubectl: programs.kubectl, folder });

    start('etcd', plan.etcd);
    const startApiServer = () => start('kube-apiserver', [...plan.apiServer, ...(options.apiServerFlags ?? [])]);
    const apiServerIsReady = async () => {
      await waitUntil('kube-apiserver is ready', async () => (await admin.request('GET', '/readyz')).status === 200);
    };
    let apiServer = startApiServer();
    await whileAlive(services, apiServerIsReady);
    start('kube-controller-manager', plan.controllerManager);
    start('kube-scheduler', plan.scheduler);
    start('kwok', plan.kwok);
    await whileAlive(services, () => addNodes(admin, options.nodes ?? 2));

    const stopping = new AbortController();
    return {
      kubeconfig,
      server,
      folder,
      caFile,
      authority,
      admin,
      addUser: (name, grants, userOptions) =>
        addUser({ admin, authority, server, folder }, name, grants, userOptions ?? {}),
      helm: (args) => runProgram(programs.helm, args, clusterEnv(kubeconfig, folder)),
      restartApiServer: async (awayMs) => {
        services.splice(services.indexOf(apiServer), 1);
        await apiServer.stop();
        await pause(awayMs);
        apiServer = startApiServer();
        await apiServerIsReady();
      },
      stopped: stopping.signal,
      stop: async () => {
        stopping.abort();
        admin.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Does the work, and gives up as soon as one of the services is no more. */
async function whileAlive(services: readonly Service[], work: () => Promise<void>): Promise<void> {
  const deaths = services.map(async ({ name, ended }) => {
    throw new Error(`${name} has ended:\n${await ended}`);
  });
  await Promise.race([work(), ...deaths]);
}
