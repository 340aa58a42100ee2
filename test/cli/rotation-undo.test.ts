import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { type LeaseObject, leaseRef } from '../../src/store/cluster/lease.ts';
import { makeBundle } from '../support/bundles.ts';
import { openRotationDesk } from '../support/rotation-desk.ts';

const system = 'dapr-system';
const bundle = await makeBundle({ at: new Date() });

describe.concurrent('rotate undo -k', () => {
  test.for([
    ['bridge', 'switch'],
    ['bridge', 'distribute'],
    ['bridge', 'drain'],
    ['staged', 'distribute'],
    ['staged', 'switch'],
    ['staged', 'drain'],
  ])('of a rotation by %s leads back from behind %s', async ([procedure, phase], context) => {
    const { run, record, secret, configMap, sidecars, server } = await openRotationDesk(context, bundle);
    const before = { secret: secret()?.data, configMap: configMap()?.data };
    await run(`rotate run -k --wait --procedure ${procedure} --drain restart --until ${phase}`, 0);
    expect(secret()?.data).not.toEqual(before.secret);
    const { stdout, stderr } = await run('rotate undo -k --wait', 0);
    expect(stdout).toContain(`✓ Rotation (${procedure}) is undone: the bundle of before is in its place`);
    expect(stdout + stderr).not.toContain('PRIVATE KEY');
    expect({ secret: secret()?.data, configMap: configMap()?.data }).toEqual(before);
    for (const anchors of sidecars()) expect(anchors).toContain(before.configMap?.['ca.crt']?.trim());
    expect(record()?.state).toBe('undone');
    expect(JSON.stringify(record())).not.toContain('issuerKey');
    const secrets = server.store.objects<KubeObject>(resources.secrets).map(({ metadata }) => metadata.name);
    expect(secrets.sort()).toEqual(['dapr-mtls-backup', 'dapr-mtls-rotation', 'dapr-trust-bundle']);
    expect(server.store.get<LeaseObject>(leaseRef({ namespace: system }))?.spec?.holderIdentity ?? '').toBe('');
  });

  test('leads nowhere when the old issuer has ended in the middle, and the way out is said', async (context) => {
    const issuerValidMs = 45_000;
    const shortLived = await makeBundle({ at: new Date(), issuerValidMs });
    const end = Date.now() + issuerValidMs;
    const { run, record } = await openRotationDesk(context, shortLived);
    await run('rotate run -k --procedure staged --restart none', 8);
    await sleep(Math.max(0, end - Date.now()) + 1500);
    const wayOut = 'which keeps the bundle that stands there: `dapr-mtls rotate undo -k --abandon`';
    // Sentry would not come back from a restart, and the old bundle is no better.
    const { stderr } = await run('rotate run -k', 4);
    expect(stderr).toMatch(/^Error: a Sentry that starts now refuses the bundle/m);
    expect(stderr).toContain(wayOut);
    expect((await run('rotate undo -k', 4)).stderr).toContain(wayOut);
    await run('rotate undo -k --abandon', 0);
    expect(record()?.state).toBe('abandoned');
    expect((await run('rotate plan -k', 0)).stdout).toContain('Procedure: replace');
  });

  test('before anything was written is at its end at once', async (context) => {
    const { run, record, secret } = await openRotationDesk(context, bundle);
    const before = secret();
    const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][(new Date().getUTCDay() + 3) % 7];
    await run(`rotate run -k --window ${day}\u00a002:00-05:00`, 8);
    await run('rotate undo -k', 0);
    expect(record()?.state).toBe('undone');
    expect(secret()).toEqual(before);
  });
});
