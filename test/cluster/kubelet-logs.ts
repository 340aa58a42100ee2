import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { send } from '../support/api-server/answer.ts';
import { ContainerLogs } from '../support/api-server/logs.ts';
import type { TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

export interface KubeletLogs {
  readonly logs: Omit<ContainerLogs, 'answer'>;
  /** What the API server has asked for, as queries. */
  readonly asked: readonly Readonly<Record<string, string>>[];
  /** Breaks off every answer under way. */
  cut(): void;
  stop(): void;
}

/**
 * The part of a kubelet that hands logs out, for one node: kwok's nodes have none. The API server in
 * between is the real one, with its own reading of the query.
 */
export async function serveKubeletLogs({ admin, authority }: TestCluster, node: string): Promise<KubeletLogs> {
  const logs = new ContainerLogs();
  const asked: Record<string, string>[] = [];
  const { certificate: cert, key } = authority.issueServer('127.0.0.1');
  const server = createServer({ cert, key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const [kind, , pod = '', container = ''] = url.pathname.split('/').slice(1);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    asked.push(Object.fromEntries(url.searchParams));
    url.searchParams.set('container', container);
    if (kind !== 'containerLogs' || !logs.has(`${pod}/${container}`)) {
      // As a kubelet says it: in words, not in a Status.
      response.writeHead(400).end(`container "${container}" in pod "${pod}" is waiting to start: ContainerCreating\n`);
      return;
    }
    const answer = logs.answer(pod, url.searchParams, gone.signal);
    void send(response, answer, { acceptsGzip: false, cutAfterBytes: undefined });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const path = `/api/v1/nodes/${node}`;
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  await waitUntil(`${node} has a kubelet`, async () => {
    await admin.request('PATCH', `${path}/status`, { status }, 'application/merge-patch+json');
    const { body } = await admin.request('GET', path);
    return body.status.daemonEndpoints?.kubeletEndpoint?.Port === port;
  });
  return {
    logs,
    asked,
    cut: () => server.closeAllConnections(),
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
