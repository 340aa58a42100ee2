import { describe, expect, test } from 'vitest';
import { checkBundle } from '../../src/app/check/check.ts';
import { judgeDirectory } from '../../src/app/check/directory.ts';
import { describeConfiguration } from '../../src/app/configuration/report.ts';
import { defaultSettings } from '../../src/app/configuration/settings.ts';
import { describeEnvironment } from '../../src/app/environment.ts';
import { reportExpiry } from '../../src/app/expiry.ts';
import { expiryRemarks, expiryWarnings } from '../../src/app/expiry-verdict.ts';
import { inspect } from '../../src/app/inspect.ts';
import { defaultWarnBeforeMs } from '../../src/app/report.ts';
import { readCertificateFile, readKeyFile } from '../../src/pki/reading.ts';
import { renderBackupAction, renderBackups } from '../../src/render/backup.ts';
import { renderCheck } from '../../src/render/check.ts';
import { renderConfiguration } from '../../src/render/configuration.ts';
import { renderEnvironment, shells } from '../../src/render/environment.ts';
import { renderExpiry } from '../../src/render/expiry.ts';
import { renderExport } from '../../src/render/export.ts';
import { renderInit } from '../../src/render/init.ts';
import { renderInspect } from '../../src/render/inspect.ts';
import { renderRenewal, renewalRemarks } from '../../src/render/renewal.ts';
import { renderRepair } from '../../src/render/repair.ts';
import { renderYaml } from '../../src/render/yaml.ts';
import type { StoredBundle, StoreLocation } from '../../src/store/port.ts';
import { fixtureInstant, readFixture } from '../support/fixtures.ts';
import { expectGolden } from '../support/golden.ts';
import { storedWithoutIssuer } from '../support/sample-observations.ts';
import * as samples from '../support/sample-reports.ts';
import { schemaViolations } from '../support/schema.ts';

const pipe = { isTty: false, columns: 80, colour: false };
const terminal = { isTty: true, columns: 80, colour: false };
const narrow = { isTty: true, columns: 40, colour: false };
const colourful = { isTty: true, columns: 100, colour: true };

const location: StoreLocation = {
  kind: 'directory',
  name: '/home/ana/.dapr/certs',
  names: { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' },
};

function stored(folder: string, state: StoredBundle['state'] = 'settled'): StoredBundle {
  const files = {
    anchors: readFixture(`pki/${folder}/ca.crt`),
    issuerChain: readFixture(`pki/${folder}/issuer.crt`),
    issuerKey: readFixture(`pki/${folder}/issuer.key`),
  };
  return { files, revision: 'fixed', state };
}

function inspected(folder: string) {
  const { files } = stored(folder);
  return inspect({
    source: { kind: 'directory', name: location.name },
    certificateFiles: [
      { name: 'ca.crt', file: readCertificateFile('anchors', files.anchors as Buffer) },
      { name: 'issuer.crt', file: readCertificateFile('issuerChain', files.issuerChain as Buffer) },
    ],
    keyFiles: [{ name: 'issuer.key', file: readKeyFile(files.issuerKey as Buffer, 'issuer.key') }],
    at: fixtureInstant,
  });
}

/** A bundle with much to find: a foreign block that hides an anchor, a key behind parameters, a short lifetime. */
function checkedDamage() {
  const bundle = stored('openssl-docs', 'interrupted');
  const crl = Buffer.from('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n');
  const files = {
    ...bundle.files,
    anchors: Buffer.concat([bundle.files.anchors as Buffer, crl, readFixture('pki/step/ca.crt')]),
    issuerKey: Buffer.concat([
      Buffer.from('-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'),
      bundle.files.issuerKey as Buffer,
    ]),
  };
  const surroundings = {
    settings: { ...defaultSettings, workloadCertTtlMs: 25_000, allowedClockSkewMs: 5000 },
    findings: judgeDirectory({
      names: location.names,
      settingsProblem: undefined,
      keyMode: '0640',
      otherFiles: [
        { name: 'root.key', isRootKey: true, isConfiguration: false },
        { name: 'config.yaml', isRootKey: false, isConfiguration: true },
      ],
    }),
  };
  return checkBundle({ ...bundle, files }, location, surroundings, {
    at: fixtureInstant,
    warnBeforeMs: defaultWarnBeforeMs,
    daprVersion: undefined,
  });
}

const quiet = { settings: defaultSettings, findings: [] };
const soundCheck = () =>
  checkBundle(stored('bridged'), location, quiet, {
    at: fixtureInstant,
    warnBeforeMs: defaultWarnBeforeMs,
    daprVersion: undefined,
  });
const environment = () =>
  describeEnvironment(stored('sentry-1.18'), location, {
    trustDomain: "o'brien.example",
    namespace: 'default',
    withIssuerKey: false,
  });
const configuration = () =>
  describeConfiguration(
    '/etc/dapr/config.yaml',
    [
      'spec:',
      '  mtls:',
      '    enabled: false # for now',
      '    workloadCertTTL: "1h"',
      '    tokenValidators:',
      '      - name: jwks',
      '        options: { source: "http://keys.example/jwks.json" }',
      '      - name: insecure',
      '',
    ].join('\n'),
    '',
  );
const unjudgedExpiry = () =>
  reportExpiry(storedWithoutIssuer('sentry-1.17'), { ...location, kind: 'cluster' }, fixtureInstant);
const lastDay = new Date('2027-11-20T10:00:00Z');
const afterEnd = new Date('2027-11-22T04:00:00Z');

describe('text', () => {
  test.each([
    ['expiry.pipe.txt', () => renderExpiry(reportExpiry(stored('bridged'), location, fixtureInstant), pipe)],
    ['expiry.terminal.txt', () => renderExpiry(reportExpiry(stored('bridged'), location, fixtureInstant), terminal)],
    ['expiry.narrow.txt', () => renderExpiry(reportExpiry(stored('bridged'), location, fixtureInstant), narrow)],
    ['expiry.colour.txt', () => renderExpiry(reportExpiry(stored('bridged'), location, lastDay), colourful)],
    ['expiry.expired.txt', () => renderExpiry(reportExpiry(stored('bridged'), location, afterEnd), terminal)],
    ['expiry.unjudged.txt', () => renderExpiry(unjudgedExpiry(), terminal)],
    [
      'expiry.unjudged.remarks.txt',
      () => `${[...expiryWarnings(unjudgedExpiry()), ...expiryRemarks(unjudgedExpiry())].join('\n')}\n`,
    ],
    ['inspect.terminal.txt', () => renderInspect(inspected('bridged'), terminal)],
    ['inspect.narrow.txt', () => renderInspect(inspected('openssl-docs'), narrow)],
    ['inspect.colour.txt', () => renderInspect(inspected('step'), colourful)],
    ['check.sound.txt', () => renderCheck(soundCheck(), terminal)],
    ['check.damage.txt', () => renderCheck(checkedDamage(), terminal)],
    ['check.colour.txt', () => renderCheck(checkedDamage(), colourful)],
    [
      'environment.all.txt',
      () => shells.map((shell) => `${shell}\n${renderEnvironment(environment(), shell)}`).join('\n'),
    ],
    ['configuration.txt', () => renderConfiguration(configuration())],
    ['init.made.txt', () => renderInit(samples.init)],
    ['init.kept.txt', () => renderInit({ ...samples.init, outcome: 'kept' })],
    ['renewal.preview.txt', () => renderRenewal(samples.preview, terminal)],
    ['renewal.preview.colour.txt', () => renderRenewal(samples.preview, colourful)],
    ['renewal.done.txt', () => renderRenewal(samples.renewal, pipe)],
    ['renewal.not-due.txt', () => renderRenewal({ ...samples.renewal, outcome: 'not-due' }, pipe)],
    ['renewal.remarks.txt', () => `${renewalRemarks(samples.preview).join('\n')}\n`],
    ['export.txt', () => renderExport(samples.exported)],
    ['backups.txt', () => renderBackups(samples.backups)],
    ['backups.none.txt', () => renderBackups({ ...samples.backups, backups: [] })],
    ['backup.restored.txt', () => renderBackupAction(samples.restored)],
    ['repair.txt', () => renderRepair(samples.repair, { colour: false })],
  ] as const)('%s', async (name, render) => {
    await expectGolden(name, render());
  });
});

describe('documents', () => {
  test.each([
    ['expiry', () => reportExpiry(stored('bridged'), location, fixtureInstant)],
    ['expiry.unjudged', unjudgedExpiry],
    ['inspect', () => inspected('openssl-docs')],
    ['check', checkedDamage],
    ['environment', environment],
    ['configuration', configuration],
    ['init', () => samples.init],
    ['renewal', () => samples.preview],
    ['export', () => samples.exported],
    ['backups', () => samples.backups],
    ['backup', () => samples.restored],
    ['repair', () => samples.repair],
  ] as const)('%s is as the schema promises, as JSON and as YAML', async (name, make) => {
    const report = make();
    expect(schemaViolations(report)).toEqual([]);
    await expectGolden(`${name}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
    await expectGolden(`${name}.yaml`, renderYaml(report));
  });

  test('the schema refuses a document with a field too many', () => {
    expect(schemaViolations({ ...samples.repair, issuerKey: 'secret' })).not.toEqual([]);
  });
});
