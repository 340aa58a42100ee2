import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startApiServer } from '../test/support/api-server/server.ts';
import { makeBundle } from '../test/support/bundles.ts';
import { runningControlPlane } from '../test/support/dapr-control-plane.ts';

/** The tests' API server with a control plane, in a process of its own: whoever measures blocks his. */
const server = await startApiServer();
const { files } = await makeBundle({ at: new Date() });
server.store.put(...runningControlPlane({ bundle: files }));
const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-bench-server-'));
const kubeconfig = server.kubeconfig();
const [user] = parse(readFileSync(kubeconfig, 'utf8')).users;
const write = (name: string, content: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};
const ca = write('ca.crt', server.caPem);
const cert = write('client.crt', Buffer.from(user.user['client-certificate-data'], 'base64'));
const key = write('client.key', Buffer.from(user.user['client-key-data'], 'base64'));
process.stdout.write(`${JSON.stringify({ url: server.url, kubeconfig, ca, cert, key, folder })}\n`);
