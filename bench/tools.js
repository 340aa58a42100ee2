import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * What a user would run instead, as far as it is here: `{path, version}` by name.
 * @param kubectl of the cluster, which goes before the one on the PATH
 */
export function findTools(kubectl) {
  const found = {
    kubectl: describe(kubectl ?? findOnPath('kubectl'), ['version', '--client', '-o', 'json'], /"gitVersion": "(.*?)"/),
    openssl: describe(findOnPath('openssl'), ['version'], /^OpenSSL (\S+)/),
    curl: describe(findOnPath('curl'), ['--version'], /^curl (\S+)/),
    step: describe(findOnPath('step'), ['version'], /\/(\S+)/),
    dapr: describe(process.env.DAPR_CLI, ['--version'], /CLI version: (\S+)/),
  };
  return Object.fromEntries(Object.entries(found).filter(([, tool]) => tool));
}

function describe(path, words, pattern) {
  if (!path) return undefined;
  const { stdout } = spawnSync(path, words, { encoding: 'utf8' });
  return { path, version: pattern.exec(stdout ?? '')?.[1] ?? 'of an unknown version' };
}

function findOnPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
