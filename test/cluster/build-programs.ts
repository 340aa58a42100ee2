import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findGo } from '../interop/go-program.ts';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('programs', import.meta.url));

/** One binary is all five, by the name it is called with: most of their code is the same. */
const controlPlaneNames = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'] as const;
const otherNames = ['kwok', 'helm'] as const;

export type ClusterProgram = (typeof controlPlaneNames)[number] | (typeof otherNames)[number];

/** The path of each program. */
export type ClusterPrograms = Readonly<Record<ClusterProgram, string>>;

/** A Go module below `programs`: what is built in it, and the versions that the linker writes into it. */
interface GoModule {
  readonly name: string;
  readonly package: string;
  readonly versions: Readonly<Record<string, string>>;
}

const kubernetesVersion = { gitVersion: 'v1.34.4', gitMajor: '1', gitMinor: '34' };

const modules = {
  controlPlane: {
    name: 'control-plane',
    package: '.',
    versions: Object.fromEntries(
      // The servers tell the one, kubectl the other.
      ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) =>
        Object.entries(kubernetesVersion).map(([name, value]) => [`${path}.${name}`, value]),
      ),
    ),
  },
  kwok: { name: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok', versions: {} },
  helm: {
    name: 'helm',
    package: 'helm.sh/helm/v3/cmd/helm',
    versions: { 'helm.sh/helm/v3/internal/version.version': 'v3.22.0' },
  },
} as const satisfies Record<string, GoModule>;

/** Why no cluster can be started here; undefined where one can. A test that says this has not passed. */
export async function whyNoCluster(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  if (process.platform === 'win32') return 'skipped: etcd and kube-apiserver want Linux or macOS';
  if ((await findGo(env)) !== undefined) return undefined;
  const assets = await findAssets(env);
  const missing = [...controlPlaneNames, ...otherNames].filter((name) => assets[name] === undefined);
  if (missing.length === 0) return undefined;
  return `skipped: go is not on the PATH, and KUBEBUILDER_ASSETS does not hold ${missing.join(', ')}`;
}

/**
 * The programs of a cluster: those in KUBEBUILDER_ASSETS, and the others built by Go. The control
 * plane is taken from one of both as a whole, since its parts have to be of one version. A first
 * build takes eight minutes on two cores; what is built lies outside the checkout, keyed by Go's
 * version and the sources.
 */
export async function buildPrograms(env: NodeJS.ProcessEnv = process.env): Promise<ClusterPrograms> {
  const assets = await findAssets(env);
  const isWhole = controlPlaneNames.every((name) => assets[name] !== undefined);
  const controlPlane = isWhole ? assets : await buildControlPlane(env);
  return {
    ...(controlPlane as ClusterPrograms),
    kwok: assets.kwok ?? (await build(modules.kwok, env)),
    helm: assets.helm ?? (await build(modules.helm, env)),
  };
}

async function findAssets(env: NodeJS.ProcessEnv): Promise<Partial<ClusterPrograms>> {
  const folder = env.KUBEBUILDER_ASSETS ?? '';
  if (folder === '') return {};
  const found: Partial<Record<ClusterProgram, string>> = {};
  for (const name of [...controlPlaneNames, ...otherNames]) {
    if (await isProgram(join(folder, name))) found[name] = join(folder, name);
  }
  return found;
}

async function buildControlPlane(env: NodeJS.ProcessEnv): Promise<Partial<ClusterPrograms>> {
  const binary = await build(modules.controlPlane, env);
  const folder = join(binary, '..');
  await Promise.all(
    controlPlaneNames.map((name) =>
      symlink(modules.controlPlane.name, join(folder, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      }),
    ),
  );
  return Object.fromEntries(controlPlaneNames.map((name) => [name, join(folder, name)]));
}

async function build(module: GoModule, env: NodeJS.ProcessEnv): Promise<string> {
  const go = await findGo(env);
  if (go === undefined) throw new Error(`${module.name} has to be built, and go is not on the PATH`);
  const flags = Object.entries(module.versions).map(([name, value]) => `-X ${name}=${value}`);
  const recipe = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', ['-s -w', ...flags].join(' ')];
  const goEnv = { ...env, GOFLAGS: '', GOWORK: 'off' };
  const cwd = join(sources, module.name);

  const hash = createHash('sha256').update(recipe.join(' '));
  hash.update((await run(go, ['env', 'GOVERSION', 'GOOS', 'GOARCH'], { cwd, env: goEnv })).stdout);
  for (const name of (await readdir(cwd)).sort()) hash.update(`${name}\n`).update(await readFile(join(cwd, name)));

  const cache = env.DAPR_MTLS_TEST_CACHE ?? join(homedir(), '.cache', 'dapr-mtls');
  const folder = join(cache, `${module.name}-${hash.digest('hex').slice(0, 16)}`);
  const built = join(folder, module.name);
  if (await isProgram(built)) return built;

  process.stderr.write(`building ${module.name} for the cluster tests, once; this may take minutes\n`);
  await mkdir(cache, { recursive: true });
  const workshop = await mkdtemp(join(cache, `${module.name}-building-`));
  try {
    await run(go, [...recipe, '-o', join(workshop, module.name), module.package], { cwd, env: goEnv });
    // Whoever built the same meanwhile was first: the rename lets none see a half of it.
    await rename(workshop, folder).catch(async (error: unknown) => {
      if (!(await isProgram(built))) throw error;
    });
    return built;
  } catch (cause) {
    throw new Error(`${cwd} could not be built; the first time its Go modules must be within reach`, { cause });
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
