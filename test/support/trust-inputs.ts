import { auditSidecars } from '../../src/app/audit/audit.ts';
import type { AuditReport } from '../../src/app/audit/report.ts';
import { describeConfiguration } from '../../src/app/configuration/report.ts';
import { defaultSettings } from '../../src/app/configuration/settings.ts';
import { defaultWarnBeforeMs } from '../../src/app/report.ts';
import type { TrustInput } from '../../src/app/trust-report/input.ts';
import type { SidecarPod } from '../../src/kube/pods/sidecar-pod.ts';
import type { FoundFiles } from '../../src/pki/reading.ts';
import { readCertificateFile, readKeyFile } from '../../src/pki/reading.ts';
import type { StoreLocation } from '../../src/store/port.ts';
import { fixtureInstant, readFixture } from './fixtures.ts';

/** What reports are judged by in the tests. */
export const judgement = { at: fixtureInstant, warnBeforeMs: defaultWarnBeforeMs, daprVersion: undefined };

const names = { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' };

export function fixtureFiles(folder: string): FoundFiles {
  const read = (name: string) => readFixture(`pki/${folder}/${name}`);
  return { anchors: read(names.anchors), issuerChain: read(names.issuerChain), issuerKey: read(names.issuerKey) };
}

/** What is gathered of a directory that holds these files. */
export function directoryInput(files: FoundFiles): TrustInput {
  const location = { kind: 'directory' as const, name: '/home/ana/.dapr/certs', names };
  return {
    ...inputOf(files, location),
    name: location.name,
    cluster: null,
    settings: { found: describeConfiguration('/home/ana/.dapr/certs.mtls/config.yaml', undefined, '') },
    sidecars: undefined,
  };
}

/** What is gathered of a cluster with these files and pods. */
export async function clusterInput(
  context: string,
  files: FoundFiles,
  pods: readonly SidecarPod[],
): Promise<TrustInput> {
  const location = { kind: 'cluster' as const, name: `dapr-system/dapr-trust-bundle (context ${context})`, names };
  const audit = await auditOf(context, files, pods);
  return {
    ...inputOf(files, location),
    name: context,
    cluster: audit.cluster,
    settings: { found: describeConfiguration('Configuration dapr-system/daprsystem', '{"spec":{"mtls":{}}}', ' -k') },
    sidecars: { found: audit },
  };
}

function auditOf(context: string, files: FoundFiles, pods: readonly SidecarPod[]): Promise<AuditReport> {
  const { anchors, issuerChain } = files;
  return auditSidecars(
    {
      cluster: { context, server: 'https://10.0.0.1:6443', namespace: 'dapr-system' },
      against: { kind: 'live', name: 'dapr-system/dapr-trust-bundle', anchors, issuerChain },
      scope: { namespace: null, pods: 'labelled' },
      pods: [pods],
    },
    fixtureInstant,
  );
}

function inputOf(files: FoundFiles, location: StoreLocation): Pick<TrustInput, 'kind' | 'store' | 'files' | 'bundle'> {
  const stored = { files, revision: 'fixed', state: 'settled' as const };
  const surroundings = { settings: defaultSettings, findings: [] };
  const { anchors, issuerChain, issuerKey } = files;
  return {
    kind: location.kind,
    store: { stored, location },
    files: {
      source: { kind: location.kind, name: location.name },
      certificateFiles: [
        ...(anchors ? [{ name: names.anchors, file: readCertificateFile('anchors', anchors) }] : []),
        ...(issuerChain ? [{ name: names.issuerChain, file: readCertificateFile('issuerChain', issuerChain) }] : []),
      ],
      keyFiles: issuerKey ? [{ name: names.issuerKey, file: readKeyFile(issuerKey, names.issuerKey) }] : [],
    },
    bundle: { found: { stored, location, surroundings, daprVersion: undefined } },
  };
}
