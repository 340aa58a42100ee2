import { type SpawnOptions, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { buildAlone } from './build-alone.ts';

type Env = Readonly<Record<string, string | undefined>>;

const here = fileURLToPath(new URL('.', import.meta.url));
const executable = process.platform === 'win32' ? '.exe' : '';

/** The path of the program `go`, or undefined where there is none. */
export async function findGo(env: Env): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, `go${executable}`);
    if (folder !== '' && (await isThere(file, constants.X_OK))) return file;
  }
  return undefined;
}

/** What is built of a module that has no program of its own, and how. */
interface Recipe {
  readonly package: string;
  readonly flags: readonly string[];
}

/**
 * Builds the module in `<base>/<name>` and returns the program's path. It lies outside the
 * checkout, keyed by Go's version (whose x509 is the judge) and by the sources in `folders`; one
 * that is there already is taken without asking the network for anything.
 */
export async function buildGoProgram(
  go: string,
  name: string,
  folders: readonly string[],
  env: Env,
  base: string = here,
  recipe: Recipe = { package: '.', flags: [] },
): Promise<string> {
  const words = [...recipe.flags, recipe.package];
  const cache = env.DAPR_MTLS_TEST_CACHE ?? join(homedir(), '.cache', 'dapr-mtls');
  const built = join(cache, `${name}-${await hashSources(go, folders, env, base, words)}${executable}`);
  const isBuilt = () => isThere(built, constants.X_OK);
  if (await isBuilt()) return built;

  await mkdir(cache, { recursive: true });
  await buildAlone(`${built}.lock`, isBuilt, async () => {
    const workshop = await mkdtemp(join(cache, `${name}-building-`));
    try {
      const product = join(workshop, name);
      await run(go, ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-o', product, ...words], {
        cwd: join(base, name),
        env: { ...env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
      });
      // Whoever looks meanwhile sees no half of it.
      await rename(product, built);
    } catch (error) {
      throw new Error(`${join(base, name)} could not be built; the first time its Go modules must be within reach`, {
        cause: error,
      });
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  });
  return built;
}

/** Writes one JSON line for each request and reads one for each answer. */
export async function converse(program: string, requests: readonly object[]): Promise<unknown[]> {
  const lines = Readable.from(
    (function* () {
      for (const request of requests) yield `${JSON.stringify(request)}\n`;
    })(),
  );
  const output = await run(program, [], {}, lines);
  const answers = output.split('\n').filter((line) => line !== '');
  return answers.map((line) => JSON.parse(line) as unknown);
}

async function hashSources(
  go: string,
  folders: readonly string[],
  env: Env,
  base: string,
  words: readonly string[],
): Promise<string> {
  const hash = createHash('sha256').update(words.join(' ') === '.' ? '' : words.join(' '));
  // From the module's own folder: its go.mod decides which Go is used.
  const cwd = join(base, folders[0] ?? '.');
  hash.update(await run(go, ['env', 'GOVERSION', 'GOOS', 'GOARCH'], { cwd, env: { ...env } }));
  for (const folder of folders) {
    const names = await readdir(join(base, folder), { recursive: true });
    for (const name of names.filter(isSource).sort()) {
      hash.update(`${folder}/${name}\n`).update(await readFile(join(base, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

function isSource(name: string): boolean {
  return /\.go$|go\.(mod|sum)$/.test(name) && !name.endsWith('_test.go');
}

async function run(file: string, args: readonly string[], options: SpawnOptions, input?: Readable): Promise<string> {
  const child = spawn(file, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error(`${file} was started without its streams`);
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? String(code)));
  });
  const [status, output, errors] = await Promise.all([
    ended,
    text(stdout),
    text(stderr),
    // A program that stops reading has said why on stderr; EPIPE would hide it.
    pipeline(input ?? Readable.from([]), stdin).catch(() => undefined),
  ]);
  if (status !== '0') throw new Error(`${[file, ...args].join(' ')} ended with ${status}:\n${errors}`);
  return output;
}

async function isThere(file: string, mode: number): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}
