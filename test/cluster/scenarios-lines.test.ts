import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { makeBundle } from '../support/bundles.ts';
import { schemaViolations } from '../support/schema.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { layAsSentry } from './control-plane-pods.ts';
import { installDapr } from './dapr.ts';
import { type Dapr, openDapr } from './program.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

const missing = await whyNoCluster();
const rotated =
  /^Starting certificate rotation\nCertificate rotation is successful! Your new certicate is valid through /;
const restarted = /All control plane services have restarted successfully!\n$/;
const own =
  '--ca-root-certificate certs/ca.crt --issuer-private-key certs/issuer.key --issuer-public-certificate certs/issuer.crt';

interface Line {
  /** As Dapr's documentation has it, with files and numbers in the place of `<...>`. */
  readonly line: string;
  readonly exitCode: number;
  readonly stdout?: RegExp;
  readonly stderr?: RegExp;
}

/** docs.dapr.io: operations/security/mtls, reference/cli/dapr-mtls*, dapr-status, dapr-init; and the upstream CLI's own help. */
const documented: readonly Line[] = [
  {
    line: 'dapr status -k',
    exitCode: 0,
    stdout: /^NAME +NAMESPACE +HEALTHY +STATUS +REPLICAS +VERSION +AGE +CREATED/,
  },
  { line: 'dapr status --kubernetes', exitCode: 0, stdout: /dapr-sentry +dapr-system +True +Running/ },
  { line: 'dapr status -k=true', exitCode: 0, stdout: /dapr-operator/ },
  { line: 'dapr status', exitCode: 2, stderr: /required flag\(s\) "kubernetes" not set/ },
  { line: 'dapr mtls -k', exitCode: 0, stdout: /^Mutual TLS is enabled in your Kubernetes cluster \n$/ },
  { line: 'dapr mtls --kubernetes', exitCode: 0, stdout: /^Mutual TLS is enabled/ },
  { line: 'dapr mtls', exitCode: 2, stderr: /required flag\(s\) "kubernetes" not set/ },
  { line: 'dapr mtls expiry', exitCode: 0, stdout: /^Root certificate expires in 87\d\d hours\. Expiry date: / },
  { line: 'dapr mtls export', exitCode: 0, stdout: /^Trust certs successfully exported to \// },
  { line: 'dapr mtls export -o certs', exitCode: 0, stdout: /exported to \/.*\/certs\n$/ },
  { line: 'dapr mtls export --out ./certs', exitCode: 0, stdout: /exported to \/.*\/certs\n$/ },
  { line: 'dapr mtls export -k --out ./certs', exitCode: 0, stdout: /exported to \/.*\/certs\n$/ },
  {
    line: 'dapr mtls renew-certificate -k --valid-until 30 --restart',
    exitCode: 0,
    stdout: new RegExp(`${rotated.source}[\\s\\S]*${restarted.source}`),
  },
  { line: 'dapr mtls renew-certificate -k --private-key root.key --valid-until 365', exitCode: 0, stdout: rotated },
  { line: `dapr mtls renew-certificate -k ${own} --restart`, exitCode: 0, stdout: restarted },
  { line: 'dapr mtls renew-certificate --kubernetes', exitCode: 0, stdout: rotated },
  { line: 'dapr mtls renew-cert -k --valid-until 365 --timeout 120', exitCode: 0, stdout: rotated },
  { line: 'dapr mtls rnc -k --valid-until=365 --restart=false', exitCode: 0, stdout: rotated },
  { line: 'dapr mtls renew-certificate -k=true --restart=true --timeout=300', exitCode: 0, stdout: restarted },
  { line: 'dapr mtls renew-certificate', exitCode: 2, stderr: /required flag\(s\) "kubernetes" not set/ },
  { line: 'dapr mtls renew-certificate -k=false', exitCode: 2, stderr: /required flag\(s\) "kubernetes" not set/ },
  {
    line: 'dapr mtls renew-certificate -k --ca-root-certificate certs/ca.crt',
    exitCode: 2,
    stderr: /all required flags for this certificate rotation path/,
  },
  {
    line: 'dapr mtls renew-certificate -k --private-key gone.key',
    exitCode: 5,
    stderr: /certificate rotation failed: open gone\.key: no such file or directory/,
  },
  { line: 'dapr mtls renew-certificate -k --image-variant mariner', exitCode: 2, stderr: /found image variant ""/ },
  { line: 'dapr init -k', exitCode: 6, stderr: /Error: / },
  { line: 'dapr init --kubernetes --enable-mtls=false', exitCode: 6, stderr: /Error: / },
  { line: 'dapr init -k --enable-ha=true --enable-mtls=true --wait --timeout 600', exitCode: 6, stderr: /Error: / },
  { line: `dapr init -k ${own}`, exitCode: 6, stderr: /Error: / },
  {
    line: 'dapr init -k -n mynamespace --runtime-version 1.17.13 --set global.tag=1.17.13',
    exitCode: 6,
    stderr: /Error: /,
  },
  { line: 'dapr run --app-id myapp --config ./config.yaml node myapp.js', exitCode: 2, stderr: /official dapr CLI/ },
  { line: 'dapr init --slim', exitCode: 2, stderr: /official dapr CLI/ },
  { line: 'dapr list -k', exitCode: 2, stderr: /official dapr CLI/ },
  { line: 'dapr mtls -k --log-as-json', exitCode: 0, stdout: /Mutual TLS is enabled/, stderr: /has no effect here/ },
  { line: 'dapr status -k --log-as-json=true', exitCode: 0, stdout: /dapr-sentry/, stderr: /has no effect here/ },
  { line: 'dapr mtls renew-certificate -k --log-as-json', exitCode: 0, stdout: rotated },
  { line: 'dapr mtls expiry --runtime-path /opt/dapr', exitCode: 0, stdout: /^Root/, stderr: /has no effect here/ },
];

/** What the official CLI has not, and our own documentation names. */
const ours: readonly Line[] = [
  { line: 'dapr mtls check -k --fail-on error', exitCode: 0 },
  { line: 'dapr mtls inspect -k', exitCode: 0, stdout: /issuer/i },
  { line: 'dapr mtls audit -k --fail-on never', exitCode: 0, stdout: /deployment-1/ },
  { line: 'dapr mtls probe -k --fail-on never', exitCode: 0, stdout: /next pod/i },
  { line: 'dapr mtls restart -k', exitCode: 0, stdout: restarted },
  { line: 'dapr mtls restart -k --apps -A --dry-run', exitCode: 0 },
  { line: 'dapr mtls renew-certificate -k --dry-run', exitCode: 0, stdout: /^Dry run: nothing was written\./ },
  { line: 'dapr mtls renew-certificate -k --if-expires-within 30d', exitCode: 0, stdout: /^Nothing is due: / },
  {
    line: 'dapr mtls backup create -k',
    exitCode: 0,
    stdout: /^The bundle was copied to Secret dapr-system\/dapr-mtls-backup/,
  },
  { line: 'dapr mtls backup list -k', exitCode: 0, stdout: /000\d/ },
  { line: 'dapr mtls backup prune -k --keep 2', exitCode: 0, stdout: /^Removed / },
  { line: 'dapr mtls backup restore -k', exitCode: 0, stdout: /is in its place|is what is there already/ },
  { line: 'dapr mtls repair -k', exitCode: 0, stdout: /^No change was interrupted/ },
  { line: 'dapr mtls repair -k --from secret --dry-run', exitCode: 0, stdout: /^Dry run: / },
  { line: 'dapr mtls repair -k --from secret', exitCode: 0, stdout: /hold one bundle again/ },
  { line: 'dapr mtls config view -k', exitCode: 0, stdout: /workloadCertTTL/ },
  { line: 'dapr mtls config set workloadCertTTL=12h -k', exitCode: 0, stdout: /12h/ },
  { line: 'dapr mtls config set workloadCertTTL=1m -k', exitCode: 2, stderr: /hot loop.*allowedClockSkew=12s -k/s },
  { line: 'dapr mtls config set workloadCertTTL=100000h -k', exitCode: 2, stderr: /reaches beyond the issuer/ },
  {
    line: 'dapr mtls config set workloadCertTTL=25s allowedClockSkew=5s -k --restart',
    exitCode: 0,
    stdout: /25s/,
    stderr: /Written: Configuration dapr-system\/daprsystem/,
  },
  // What follows, and these lines once more, are of a control plane as it is by default.
  { line: 'dapr mtls config set workloadCertTTL=24h allowedClockSkew=15m -k', exitCode: 0, stdout: /24h/ },
  { line: 'dapr mtls expiry -k -n nowhere', exitCode: 5, stderr: /Error: / },
  { line: 'dapr mtls status -k --context nobody', exitCode: 3, stderr: /nobody/ },
  { line: 'dapr-mtls -k', exitCode: 0, stdout: /^Mutual TLS is enabled/ },
  { line: 'dapr-mtls expiry', exitCode: 0, stdout: /^Root certificate expires in / },
  { line: 'dapr-mtls status -k', exitCode: 0, stdout: /dapr-sentry/ },
];

/** `$line` in a title would be cut short. */
function titled(isMeant: (line: Line) => boolean): [string, Line][] {
  return [...documented, ...ours].filter(isMeant).map((line) => [line.line, line]);
}

describe.skipIf(missing !== undefined)(missing ?? 'every documented line on a real cluster', () => {
  let cluster: TestCluster;
  let dapr: Dapr;

  beforeAll(async () => {
    cluster = await startCluster();
    dapr = openDapr(cluster.kubeconfig);
    const { files, rootKey } = await makeBundle({ at: new Date() });
    await installDapr(cluster, { version: '1.17.13', bundle: files });
    await layAsSentry(cluster, files);
    await deployApps(cluster, { namespaces: ['shop'], deployments: 1 });
    writeFileSync(join(dapr.folder, 'root.key'), encodePrivateKey(rootKey), { mode: 0o600 });
  }, 240_000);
  afterAll(async () => {
    await cluster?.stop();
  });

  test.each(titled(() => true))('%s', async (line, { exitCode, stdout, stderr }) => {
    const told = await dapr.run(line);
    expect(told.exitCode, told.stderr).toBe(exitCode);
    expect(told.stdout).toMatch(stdout ?? (exitCode === 0 ? /./ : /^$/));
    if (stderr) expect(told.stderr).toMatch(stderr);
    expect(told.stdout + told.stderr).not.toContain('PRIVATE KEY');
  });

  const isOurs = ({ line, stderr }: Line) => !line.includes('restart') && !stderr?.source.includes('official');
  test.each(titled(isOurs))('%s --format json: one document', async (line, { exitCode }) => {
    const told = await dapr.run(`${line} --format json`);
    expect(told.exitCode, told.stderr).toBe(exitCode);
    const report = JSON.parse(told.stdout);
    expect(schemaViolations(report)).toEqual([]);
    expect(report.kind === 'Error').toBe(exitCode !== 0);
  });
});
