import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { controlPlaneObjects } from '../support/dapr-control-plane.ts';
import { schemaViolations } from '../support/schema.ts';
import { makeFolder, makeWorkplace } from '../support/workplace.ts';

const folder = makeFolder('config-check');
const codesOf = (stdout: string) => JSON.parse(stdout).findings.map(({ code }: { code: string }) => code);

describe('in a cluster', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = await startApiServer();
  });
  afterEach(() => server.stop());

  const check = async (settings: object, ...words: string[]) => {
    const { files } = await makeBundle({ at: new Date(), issuerValidMs: 30 * dayMs });
    const objects = controlPlaneObjects({ bundle: files });
    for (const object of objects)
      if (object.kind === 'Configuration') Object.assign((object.spec as { mtls: object }).mtls, settings);
    server.store.put(...objects);
    return run(['mtls', 'config', 'check', '-k', ...words], { cwd: folder, env: { KUBECONFIG: server.kubeconfig() } });
  };

  test('settings that are well pass, whatever else there is to say of the bundle', async () => {
    const { status, stdout, stderr } = await check({ workloadCertTTL: '1h' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '✓ Sentry and its clients accept these settings\n' });
    expect(stderr).toContain('Trust store: cluster dapr-system/dapr-trust-bundle');
  });

  test.each<[string, object, string[]]>([
    ['a hot loop', { workloadCertTTL: '25s', allowedClockSkew: '15m' }, ['leaf.skew']],
    ['certificates that outlive the issuer', { workloadCertTTL: '800h' }, ['leaf.outlives-issuer']],
    [
      'validators',
      { tokenValidators: [{ name: 'kubernetes' }, { name: 'jwks' }] },
      ['validator.built-in', 'validator.no-source', 'validator.external-clients'],
    ],
  ])('%s is told of', async (_, settings, codes) => {
    const { status, stdout } = await check(settings, '--format', 'json');
    expect([status, codesOf(stdout)]).toEqual([10, codes]);
    expect(schemaViolations(JSON.parse(stdout))).toEqual([]);
  });

  test('a warning is let pass where only errors count', async () => {
    const { status, stdout } = await check({ workloadCertTTL: '800h' }, '--fail-on', 'error');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^! warning leaf.outlives-issuer.*\n(?:.*\n)*0 errors, 1 warning\n$/);
  });
});

test('of a directory the file of --config is judged', async () => {
  const cwd = await makeWorkplace(folder, 'workplace');
  writeFileSync(join(cwd, 'other.yaml'), 'spec:\n  mtls:\n    workloadCertTTL: 10s\n    allowedClockSkew: 10s\n');
  const words = 'mtls config check --dir certs --config other.yaml --format json';
  const { status, stdout } = await run(words.split(' '), { cwd });
  expect([status, codesOf(stdout)]).toEqual([10, ['leaf.skew']]);
});

test('following its mend changes the file that was judged', async () => {
  const cwd = await makeWorkplace(folder, 'mended');
  writeFileSync(join(cwd, 'other.yaml'), 'spec:\n  mtls:\n    workloadCertTTL: 10s\n    allowedClockSkew: 10s\n');
  const check = ['--dir', 'certs', '--config', 'other.yaml', '--format', 'json'];
  const hintOf = (stdout: string) => JSON.parse(stdout).findings[0].hint;
  for (const words of [['check'], ['config', 'check']]) {
    expect(hintOf((await run(['mtls', ...words, ...check], { cwd })).stdout)).toContain(
      '`dapr-mtls config set --dir certs --config other.yaml workloadCertTTL=24h allowedClockSkew=15m`',
    );
  }
  const mend = 'mtls config set --dir certs --config other.yaml workloadCertTTL=24h allowedClockSkew=15m --settle 0';
  expect(await run(mend.split(' '), { cwd })).toMatchObject({ status: 0 });
  expect(await run(['mtls', 'config', 'check', ...check], { cwd })).toMatchObject({ status: 0 });
});
