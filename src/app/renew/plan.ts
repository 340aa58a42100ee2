import { DaprMtlsError } from '../../errors.ts';
import type { BundleFiles, TrustBundle } from '../../pki/bundle.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { encodeBundle, encodeCertificates } from '../../pki/encode.ts';
import { whySentryRefuses } from '../../pki/sentry.ts';
import type { ChangeStep, StoreLocation } from '../../store/port.ts';
import type { CurrentBundle } from './current.ts';
import { allInOneStep } from './renewal.ts';

/**
 * The steps from one bundle to another, each of which leaves files that a Sentry accepts: first the
 * anchors as superset, then the issuer with its key, last the final anchors. Where Sentry does not
 * run on the old bundle anyway there is nothing to be gentle to, and one step does.
 * @throws DaprMtlsError `trust.refused` when Sentry would refuse the new bundle
 */
export function planSteps(
  current: CurrentBundle,
  next: TrustBundle,
  at: Date,
  kind: StoreLocation['kind'],
): ChangeStep[] {
  const steps = planGradually(current, next, at);
  if (kind === 'directory' || steps.length <= 1) return steps;
  // The objects of a cluster are changed as a whole: no reader meets one file without the others.
  return [{ name: 'write the new bundle', files: Object.assign({}, ...steps.map(({ files }) => files)) }];
}

function planGradually(current: CurrentBundle, next: TrustBundle, at: Date): ChangeStep[] {
  const final = encodeBundle(next);
  assertAccepted(final, at);
  const { anchors, issuerChain, issuerKey } = current.files;
  if (current.refusal !== undefined || !anchors || !issuerChain || !issuerKey)
    return [{ name: allInOneStep, files: final }];

  const superset = encodeCertificates(union(next.anchors, current.liveAnchors));
  const steps: ChangeStep[] = [];
  let files: BundleFiles = { anchors, issuerChain, issuerKey };
  const add = (name: string, change: ChangeStep['files']) => {
    files = { ...files, ...change };
    const refusal = whySentryRefuses(files, at);
    if (refusal) throw new Error(`an intermediate step would not be accepted: ${refusal}`);
    steps.push({ name, files: change });
  };
  const addsAnchors =
    !current.files.anchors?.equals(superset) && next.anchors.some((anchor) => !includes(current.liveAnchors, anchor));
  if (addsAnchors) add('trust the new anchors beside the old ones', { anchors: superset });
  if (!issuerChain.equals(final.issuerChain) || !issuerKey.equals(final.issuerKey)) {
    add('switch the issuer and its key', changedPair(files, final));
  }
  if (!files.anchors.equals(final.anchors))
    add('leave only the anchors that are still needed', { anchors: final.anchors });
  return steps;
}

/** An issuer renewed on its own key is one file, and one rename has no bad moment. */
function changedPair(before: BundleFiles, { issuerChain, issuerKey }: BundleFiles): ChangeStep['files'] {
  if (before.issuerKey.equals(issuerKey)) return { issuerChain };
  if (before.issuerChain.equals(issuerChain)) return { issuerKey };
  return { issuerChain, issuerKey };
}

function assertAccepted(files: BundleFiles, at: Date): void {
  const refusal = whySentryRefuses(files, at);
  if (!refusal) return;
  throw new DaprMtlsError('trust.refused', {
    message: `Sentry would refuse the new bundle: ${refusal}`,
    hint: 'Nothing was written. Check the certificates that were given with `dapr-mtls check`.',
  });
}

function union(first: readonly Certificate[], second: readonly Certificate[]): Certificate[] {
  return [...first, ...second.filter((certificate) => !includes(first, certificate))];
}

function includes(certificates: readonly Certificate[], wanted: Certificate): boolean {
  return certificates.some(({ fingerprint }) => fingerprint === wanted.fingerprint);
}
