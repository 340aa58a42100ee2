// `npm start`: makes a bundle for self-hosted Dapr in ./try and checks it, with the program as built.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const words of [
  ['init', '--dir', 'try/certs'],
  ['check', '--dir', 'try/certs'],
  ['expiry', '--dir', 'try/certs'],
]) {
  console.log(`\n$ dapr-mtls ${words.join(' ')}`);
  const { status } = spawnSync(process.execPath, ['bin/dapr-mtls.js', ...words], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
