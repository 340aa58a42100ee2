import { expect, test } from 'vitest';
import { describeFailedSite, judgeSite, uniteSites } from '../../src/app/trust-report/judge.ts';
import { encodeCertificates } from '../../src/pki/encode.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../src/pki/reading.ts';
import { renderPage } from '../../src/render/page/page.ts';
import { renderYaml } from '../../src/render/yaml.ts';
import { fixtureInstant, readFixture, readForeignBundle } from '../support/fixtures.ts';
import { expectGolden } from '../support/golden.ts';
import { schemaViolations } from '../support/schema.ts';
import { sidecarPod } from '../support/sidecar-pods.ts';
import { clusterInput, directoryInput, fixtureFiles, judgement } from '../support/trust-inputs.ts';

const ofDirectory = () => {
  const site = judgeSite(directoryInput(fixtureFiles('sentry-1.17')), judgement, 'never');
  return uniteSites([site], fixtureInstant);
};

/** One with a bridge that not all have followed, one that is well, and one that is away. */
async function ofClusters() {
  const bridged = fixtureFiles('bridged');
  const [, oldAnchor] = visibleCertificatesOf(readCertificateFile('anchors', readFixture('pki/bridged/ca.crt')));
  const pods = [
    sidecarPod(bridged.anchors),
    sidecarPod(oldAnchor && encodeCertificates([oldAnchor]), { namespace: 'billing' }),
    sidecarPod(readForeignBundle('step').anchors, { workload: { kind: 'StatefulSet', name: 'ledger' } }),
    sidecarPod(undefined, { workload: { kind: 'Pod', name: 'debug' } }),
  ];
  const sound = fixtureFiles('sentry-1.18');
  const inputs = [
    await clusterInput('prod', bridged, pods),
    await clusterInput('staging', sound, [sidecarPod(sound.anchors)]),
  ];
  const away = { code: 'cluster.unreachable', message: 'the API server does not answer', hint: 'Is it up?' };
  const sites = [...inputs.map((input) => judgeSite(input, judgement, 'never')), describeFailedSite('edge', 3, away)];
  return uniteSites(sites, fixtureInstant);
}

test('the page of a directory', async () => {
  await expectGolden('page.directory.html', renderPage(ofDirectory()));
});

test('the page of clusters', async () => {
  await expectGolden('page.clusters.html', renderPage(await ofClusters()));
});

test('the document of a directory, as JSON and as YAML', async () => {
  const report = ofDirectory();
  expect(schemaViolations(report)).toEqual([]);
  await expectGolden('trust-report.json', `${JSON.stringify(report, undefined, 2)}\n`);
  await expectGolden('trust-report.yaml', renderYaml(report));
});

test('the document of clusters is as the schema promises', async () => {
  const report = await ofClusters();
  expect(schemaViolations(report)).toEqual([]);
  expect(schemaViolations({ ...report, issuerKey: 'secret' })).not.toEqual([]);
});
