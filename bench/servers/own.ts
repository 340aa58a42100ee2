import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startApiServer } from '../../test/support/api-server/server.ts';
import { makeBundle } from '../../test/support/bundles.ts';
import { runningControlPlane } from '../../test/support/dapr-control-plane.ts';
import type { BenchServer } from './bench-server.ts';
import { makeGenerations, makePods, namespaces } from './pods.ts';

/** The tests' own API server. */
export async function startOwn(): Promise<BenchServer> {
  const server = await startApiServer();
  const { files } = await makeBundle({ at: new Date() });
  server.store.put(...runningControlPlane({ bundle: files }));
  for (const name of namespaces) server.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as never);
  const anchors = await makeGenerations(files);

  const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-bench-'));
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const kubeconfig = server.kubeconfig();
  const [{ user }] = parse(readFileSync(kubeconfig, 'utf8')).users;
  const decode = (part: string) => Buffer.from(user[`client-${part}-data`], 'base64');
  return {
    kind: 'own',
    access: {
      url: server.url,
      kubeconfig,
      ca: write('ca.crt', server.caPem),
      cert: write('client.crt', decode('certificate')),
      key: write('client.key', decode('key')),
    },
    fill: async (count) => server.store.put(...makePods(count, anchors, true)),
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
