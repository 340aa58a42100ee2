import { beforeAll, describe, expect, test } from 'vitest';
import { type AuditInput, auditSidecars } from '../../src/app/audit/audit.ts';
import { auditRemarks } from '../../src/app/audit/remarks.ts';
import type { AuditReport } from '../../src/app/audit/report.ts';
import { encodeCertificates } from '../../src/pki/encode.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../src/pki/reading.ts';
import { renderAudit } from '../../src/render/audit.ts';
import { renderYaml } from '../../src/render/yaml.ts';
import { fixtureInstant, readFixture, readForeignBundle } from '../support/fixtures.ts';
import { expectGolden } from '../support/golden.ts';
import { schemaViolations } from '../support/schema.ts';
import { sidecarPod } from '../support/sidecar-pods.ts';

const pipe = { isTty: false, columns: 80, colour: false };
const terminal = { isTty: true, columns: 100, colour: false };
const narrow = { isTty: true, columns: 50, colour: false };
const colourful = { isTty: true, columns: 120, colour: true };

const anchors = readFixture('pki/bridged/ca.crt');
const issuerChain = readFixture('pki/bridged/issuer.crt');
const [newAnchor = Buffer.alloc(0), oldAnchor = Buffer.alloc(0)] = visibleCertificatesOf(
  readCertificateFile('anchors', anchors),
).map((certificate) => encodeCertificates([certificate]));
const ledger = { namespace: 'billing', workload: { kind: 'StatefulSet', name: 'ledger' }, appId: 'ledger' };

/** A bridge that half of the sidecars have followed, with a stranger and a pod that does not tell. */
const pods = [
  sidecarPod(anchors, { name: 'checkout-6d8c4db785-2v46w' }),
  sidecarPod(newAnchor, { name: 'checkout-6d8c4db785-9xk2p' }),
  sidecarPod(oldAnchor, { name: 'checkout-6d8c4db785-zz9qt', deletionTimestamp: fixtureInstant }),
  sidecarPod(readForeignBundle('step').anchors, { ...ledger, name: 'ledger-0' }),
  sidecarPod(newAnchor, { ...ledger, name: 'ledger-1' }),
  sidecarPod(undefined, { name: 'debug', workload: { kind: 'Pod', name: 'debug' }, appId: undefined }),
];

const audit = (wishes: Partial<AuditInput> = {}) =>
  auditSidecars(
    {
      cluster: { context: 'prod', server: 'https://10.0.0.1:6443', namespace: 'dapr-system' },
      against: { kind: 'live', name: 'dapr-system/dapr-trust-bundle', anchors, issuerChain },
      scope: { namespace: null, pods: 'labelled' },
      pods: [pods],
      ...wishes,
    },
    fixtureInstant,
  );

let mixed: AuditReport;
let followed: AuditReport;
let file: AuditReport;

beforeAll(async () => {
  mixed = await audit();
  followed = await audit({ pods: [pods.slice(0, 2)] });
  file = await audit({
    against: { kind: 'file', name: '/home/ana/new-root.crt', anchors: newAnchor, issuerChain: undefined },
    scope: { namespace: 'shop', pods: 'all' },
  });
});

describe('text', () => {
  test.each([
    ['audit.pipe.txt', () => renderAudit(mixed, pipe)],
    ['audit.terminal.txt', () => renderAudit(mixed, terminal)],
    ['audit.narrow.txt', () => renderAudit(mixed, narrow)],
    ['audit.colour.txt', () => renderAudit(mixed, colourful)],
    ['audit.current.txt', () => renderAudit(followed, pipe)],
    ['audit.file.txt', () => renderAudit(file, pipe)],
    ['audit.remarks.txt', () => `${auditRemarks(file).join('\n')}\n`],
  ] as const)('%s', async (name, render) => {
    await expectGolden(name, render());
  });

  test('no sidecars', async () => {
    expect(renderAudit(await audit({ pods: [] }), pipe)).toMatch(/^No sidecars\n/);
  });
});

test('the document is as the schema promises, as JSON and as YAML', async () => {
  for (const report of [mixed, followed, file]) expect(schemaViolations(report)).toEqual([]);
  await expectGolden('audit.json', `${JSON.stringify(mixed, undefined, 2)}\n`);
  await expectGolden('audit.yaml', renderYaml(mixed));
  // An alias for what many sidecars share is more than many parsers take.
  expect(renderYaml(mixed)).not.toMatch(/: [&*]/);
});
