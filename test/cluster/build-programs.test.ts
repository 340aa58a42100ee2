import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';
import { buildPrograms, whyNoCluster } from './build-programs.ts';

const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kwok', 'helm'];

test.skipIf(process.platform === 'win32')('without Go, what KUBEBUILDER_ASSETS lacks is named', async () => {
  expect(await whyNoCluster({ PATH: '' })).toBe(
    `skipped: go is not on the PATH, and KUBEBUILDER_ASSETS does not hold ${names.join(', ')}`,
  );
  const folder = folderWith(names.slice(0, 5));
  expect(await whyNoCluster({ PATH: '', KUBEBUILDER_ASSETS: folder })).toMatch(/does not hold kwok, helm$/);
  await expect(buildPrograms({ PATH: '', KUBEBUILDER_ASSETS: folder })).rejects.toThrow('kwok has to be built');
});

test.skipIf(process.platform === 'win32')('a folder that holds all is taken as it is', async () => {
  const folder = folderWith(names);
  const env = { PATH: '', KUBEBUILDER_ASSETS: folder };
  expect(await whyNoCluster(env)).toBeUndefined();
  expect(await buildPrograms(env)).toEqual(Object.fromEntries(names.map((name) => [name, join(folder, name)])));
});

test('half a control plane is not mixed with one of another version', async () => {
  const folder = folderWith(['etcd', 'kube-apiserver', 'kubectl', 'kwok', 'helm']);
  await expect(buildPrograms({ PATH: '', KUBEBUILDER_ASSETS: folder })).rejects.toThrow(
    'control-plane has to be built',
  );
});

function folderWith(programs: readonly string[]): string {
  const folder = temporaryDirectory();
  for (const name of programs) writeFileSync(join(folder, name), '#!/bin/sh\n', { mode: 0o755 });
  return folder;
}
