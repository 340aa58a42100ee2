import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { temporaryDirectory } from '../support/directory.ts';
import type { KubeJson } from './admin.ts';

const run = promisify(execFile);

/** 4 MB by Go's module proxy; Go's checksum database vouches for it. */
const operator = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';

/** The operator's own definitions of its kinds, such as `prometheusrules`. */
export async function readOperatorKinds(go: string, plurals: readonly string[]): Promise<readonly KubeJson[]> {
  const cwd = temporaryDirectory('operator');
  const env = { ...process.env, GOFLAGS: '', GOWORK: 'off' };
  const { stdout } = await run(go, ['mod', 'download', '-json', operator], { cwd, env });
  const folder = join((JSON.parse(stdout) as { Dir: string }).Dir, 'example', 'prometheus-operator-crd');
  return Promise.all(
    plurals.map(async (plural) => parse(await readFile(join(folder, `monitoring.coreos.com_${plural}.yaml`), 'utf8'))),
  );
}
