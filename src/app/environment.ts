import { DaprMtlsError } from '../errors.ts';
import { encodeCertificates } from '../pki/encode.ts';
import { encodePrivateKey, readPrivateKey } from '../pki/keys.ts';
import { certificatesOf, type FoundFiles, readCertificateFile } from '../pki/reading.ts';
import type { StoredBundle, StoreLocation } from '../store/port.ts';
import { type Document, describeStore, document, type StoreReport } from './report.ts';

export interface EnvironmentReport extends Document<'Environment'> {
  readonly store: StoreReport;
  readonly variables: Readonly<Record<string, string>>;
}

export interface EnvironmentInput {
  readonly trustDomain: string;
  /** Of the control plane and, as the documentation has it, of the sidecar. */
  readonly namespace: string;
  /** For daprd up to 1.13, which shows the issuer's certificate to Sentry. */
  readonly withIssuerKey: boolean;
}

/**
 * What a self-hosted daprd reads from its environment (cmd/daprd/options of dapr/dapr).
 * @throws DaprMtlsError `trust.unreadable`, `store.missing`
 */
export function describeEnvironment(
  stored: StoredBundle,
  location: StoreLocation,
  input: EnvironmentInput,
): EnvironmentReport {
  const { anchors } = stored.files;
  const roots = certificatesOf(anchors && readCertificateFile('anchors', anchors));
  if (roots.length === 0) {
    throw new DaprMtlsError(anchors ? 'trust.unreadable' : 'store.missing', {
      message: `${location.names.anchors} in ${location.name} ${anchors ? 'holds no readable certificate' : 'is missing'}`,
      hint: 'See what is wrong: `dapr-mtls check`. Make a bundle: `dapr-mtls init`.',
    });
  }
  return document('Environment', {
    store: describeStore(location, stored),
    variables: {
      DAPR_TRUST_ANCHORS: encodeCertificates(roots).toString('utf8'),
      DAPR_CONTROLPLANE_TRUST_DOMAIN: input.trustDomain,
      DAPR_CONTROLPLANE_NAMESPACE: input.namespace,
      NAMESPACE: input.namespace,
      ...(input.withIssuerKey ? describeIssuer(stored.files, location) : {}),
    },
  });
}

function describeIssuer(
  { issuerChain, issuerKey }: FoundFiles,
  { name, names }: StoreLocation,
): Record<string, string> {
  const chain = certificatesOf(issuerChain && readCertificateFile('issuerChain', issuerChain));
  if (chain.length > 0 && issuerKey) {
    return {
      DAPR_CERT_CHAIN: encodeCertificates(chain).toString('utf8'),
      DAPR_CERT_KEY: encodePrivateKey(readPrivateKey(issuerKey, names.issuerKey)),
    };
  }
  throw new DaprMtlsError('store.missing', {
    message: `${names.issuerChain} or ${names.issuerKey} in ${name} is missing or unreadable`,
    hint: 'See what is wrong: `dapr-mtls check`.',
  });
}
