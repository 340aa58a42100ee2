import { expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { makeBundle } from '../support/bundles.ts';
import type { Manifest } from '../support/dapr/manifest.ts';
import { openRotationDesk } from '../support/rotation-desk.ts';

const bundle = await makeBundle({ at: new Date() });

/** Every daprd of `checkout` is of another image than the control plane. */
const openTown = (context: Parameters<typeof openRotationDesk>[0], tag: string) =>
  openRotationDesk(context, bundle, ({ server: { store } }) => {
    for (const { metadata } of store.objects<Manifest>(resources.pods)) {
      const { name, namespace } = metadata;
      if (namespace !== 'shop') continue;
      store.change<Manifest>({ resource: resources.pods, namespace, name }, (pod) =>
        JSON.parse(JSON.stringify(pod).replace(/(\/daprd):[^"]+/g, `$1${tag}`)),
      );
    }
  });

test('one sidecar of 1.11 is recorded, and its issuer kept until it is restarted', async (context) => {
  const town = await openTown(context, ':1.11.6');
  const { stderr } = await town.run('mtls rotate run -k --yes --restart none', 8);
  expect(stderr).toMatch(/1\.11 sidecars keep/);
  expect(town.record()).toMatchObject({ procedure: 'bridge', settings: { keepsIssuers: true, drain: 'restart' } });
});

test('what is named by its digest is bridged when people say what it is', async (context) => {
  const town = await openTown(context, '@sha256:0123456789012345678901234567890123456789012345678901234567890123');
  const { stdout } = await town.run('mtls rotate plan -k', 0);
  expect(stdout).toMatch(/not known which daprd runs in shop\/checkout/);
  await town.run('mtls rotate run -k --yes --restart none --dapr-version 1.17', 8);
  expect(town.record()).toMatchObject({ procedure: 'bridge', settings: { keepsIssuers: false } });
});
