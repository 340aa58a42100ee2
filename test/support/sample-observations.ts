import { auditSidecars } from '../../src/app/audit/audit.ts';
import { checkBundle } from '../../src/app/check/check.ts';
import { type ClusterOutcome, reportClusters } from '../../src/app/clusters/report.ts';
import { defaultSettings } from '../../src/app/configuration/settings.ts';
import { reportExpiry } from '../../src/app/expiry.ts';
import type { Observation } from '../../src/app/observation/observation.ts';
import { observe } from '../../src/app/observation/observe.ts';
import { observeAudit } from '../../src/app/observation/observe-audit.ts';
import { observeCheck } from '../../src/app/observation/observe-check.ts';
import { observeClusters } from '../../src/app/observation/observe-clusters.ts';
import { observeExpiry } from '../../src/app/observation/observe-expiry.ts';
import { defaultWarnBeforeMs } from '../../src/app/report.ts';
import type { StoredBundle, StoreLocation } from '../../src/store/port.ts';
import { fixtureInstant, readFixture, readForeignBundle } from './fixtures.ts';
import { sidecarPod } from './sidecar-pods.ts';

const directory: StoreLocation = {
  kind: 'directory',
  // Characters that mean something in XML, in annotations and behind the bar of a plugin.
  name: '/srv/<a>&"b" | 100%, c: d',
  names: { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' },
};
const cluster: StoreLocation = { ...directory, kind: 'cluster', name: 'https://10.0.0.1:6443 dapr-system' };

function stored(folder: string): StoredBundle {
  const [anchors, issuerChain, issuerKey] = ['ca.crt', 'issuer.crt', 'issuer.key'].map((name) =>
    readFixture(`pki/${folder}/${name}`),
  );
  return { files: { anchors, issuerChain, issuerKey }, revision: 'fixed', state: 'settled' };
}

function check(bundle: StoredBundle, location: StoreLocation): Observation {
  const options = { at: fixtureInstant, warnBeforeMs: defaultWarnBeforeMs, daprVersion: undefined };
  return observeCheck(checkBundle(bundle, location, { settings: defaultSettings, findings: [] }, options));
}

function damaged(): StoredBundle {
  const bundle = stored('openssl-docs');
  const crl = Buffer.from('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n');
  const anchors = Buffer.concat([bundle.files.anchors as Buffer, crl, readFixture('pki/step/ca.crt')]);
  return { ...bundle, files: { ...bundle.files, anchors, issuerKey: readFixture('pki/step/issuer.key') } };
}

const expiry = (at: Date) => observeExpiry(reportExpiry(stored('bridged'), directory, at), defaultWarnBeforeMs);

/** Of a cluster whose Secret may not be read, from where its Sentry is not reached. */
export function storedWithoutIssuer(folder: string): StoredBundle {
  const { files, ...rest } = stored(folder);
  const hint = 'Say --sentry-address localhost:50001 beside a port-forward.';
  return {
    ...rest,
    files: { ...files, issuerChain: undefined, issuerKey: undefined },
    state: 'unknown',
    source: 'public',
    unread: {
      issuerChain: { reason: 'Sentry cannot be reached from here', hint },
      issuerKey: { reason: 'the Secret, which alone holds it, was not read', hint: '`dapr-mtls check -k`' },
    },
  };
}

const unjudged = () =>
  observeExpiry(reportExpiry(storedWithoutIssuer('sentry-1.17'), cluster, fixtureInstant), defaultWarnBeforeMs);

async function audit(): Promise<Observation> {
  const { files } = stored('bridged');
  const workload = { kind: 'StatefulSet', name: 'ledger\u001b[2J<&"' };
  return observeAudit(
    await auditSidecars(
      {
        cluster: { context: 'prod', server: 'https://10.0.0.1:6443', namespace: 'dapr-system' },
        against: {
          kind: 'live',
          name: 'dapr-system/dapr-trust-bundle',
          anchors: files.anchors,
          issuerChain: files.issuerChain,
        },
        scope: { namespace: null, pods: 'labelled' },
        pods: [
          [
            sidecarPod(files.anchors, { name: 'checkout-6d8c4db785-2v46w' }),
            sidecarPod(readForeignBundle('step').anchors, {
              namespace: 'billing',
              workload,
              appId: 'ledger',
              name: 'ledger-0',
            }),
            sidecarPod(undefined, { name: 'debug', workload: { kind: 'Pod', name: 'debug' }, appId: undefined }),
          ],
        ],
      },
      fixtureInstant,
    ),
  );
}

/** One that could not be looked at, beside what was found at these instants. */
function several(...instants: readonly Date[]): Observation {
  const found = instants.map((at, index): ClusterOutcome => {
    const report = reportExpiry(stored('bridged'), cluster, at, defaultWarnBeforeMs);
    return { context: `found-${index}`, exitCode: 0, report };
  });
  const error = {
    code: 'cluster.unreachable',
    message: 'the API server does not answer',
    hint: 'Look at the network.',
  };
  const outcomes = [{ context: 'away', exitCode: 3, error }, ...found];
  return observeClusters(reportClusters('expiry', outcomes, defaultWarnBeforeMs), (one) =>
    observe(one, defaultWarnBeforeMs),
  );
}

/** What the formats of other programs are shown with: well, soon ending, broken, not looked at. */
export const sampleObservations: Readonly<Record<string, () => Promise<Observation>>> = {
  expiry: async () => expiry(fixtureInstant),
  'expiry-ended': async () => expiry(new Date('2040-01-01T00:00:00Z')),
  'expiry-unjudged': async () => unjudged(),
  check: async () => check(stored('sentry-1.17'), cluster),
  'check-damaged': async () => check(damaged(), directory),
  audit,
  'clusters-away': async () => several(),
  'clusters-soon': async () => several(fixtureInstant, new Date('2027-11-01T00:00:00Z')),
  'clusters-ended': async () => several(new Date('2040-01-01T00:00:00Z')),
};
