import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { bundleTypescript } from './bundle-typescript.js';

/**
 * Starts an API server on loopback: the real one where it is built or Go can build it, and unless the
 * tests' own is asked for. It ends with this process, however that ends.
 * @returns its kind, the ways to it, `fill(pods)` and `stop()`
 */
export async function startServer(wish) {
  const module = await bundleTypescript('serve', 'bench/servers/serve.ts');
  // Ctrl-C in a terminal is for this process alone: it tidies up behind itself when its input ends.
  const child = spawn(process.execPath, [module, wish], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the API server has ended with code ${(await ended)[0]}`);
    return value;
  };
  const { kind, access } = JSON.parse(await next());
  return {
    kind,
    access,
    fill: async (pods) => {
      child.stdin.write(`${pods}\n`);
      await next();
    },
    stop: async () => {
      child.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`the API server has ended with code ${code}`);
    },
  };
}
