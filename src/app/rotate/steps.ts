import type { BundleFiles } from '../../pki/bundle.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { whyNotSigned } from '../../pki/chain.ts';
import { encodeCertificates } from '../../pki/encode.ts';
import type { ChangeStep, FoundFiles, StoreLocation } from '../../store/port.ts';
import { holdsAll, readAnchors } from './held-anchors.ts';

/**
 * The writes that lead from one bundle to another. Beside a running Sentry a directory changes one thing
 * at a time (dapr-facts, section 8): anchors that come do so before the issuer that hangs on them, and
 * anchors that go do so behind it. The objects of a cluster are changed as a whole.
 */
export function stepsToward(present: FoundFiles, files: BundleFiles, kind: StoreLocation['kind']): ChangeStep[] {
  const { anchors, issuerChain, issuerKey } = present;
  if (kind === 'cluster' || !anchors || !issuerChain || !issuerKey) return [{ name: 'write the bundle', files }];
  const pair = switchedPair(present, files);
  if (anchors.equals(files.anchors)) return pair;
  const held = readAnchors(anchors);
  const wanted = readAnchors(files.anchors);
  const final: ChangeStep = { name: 'write the anchors', files: { anchors: files.anchors } };
  if (pair.length === 0) return [final];
  if (includesAll(wanted, held)) return [final, ...pair];
  if (includesAll(held, wanted)) return [...pair, final];
  // What is no anchor to Sentry would make it refuse the others, too.
  const others = held.filter((anchor) => !holdsAll(wanted, [anchor.fingerprint]) && !whyNotSigned(anchor, anchor));
  const both = encodeCertificates([...wanted, ...others]);
  return [{ name: 'trust the new anchors beside the old ones', files: { anchors: both } }, ...pair, final];
}

/** An issuer that stays on its key is one file, and one rename has no bad moment. */
function switchedPair(present: FoundFiles, { issuerChain, issuerKey }: BundleFiles): ChangeStep[] {
  const isSameChain = present.issuerChain?.equals(issuerChain);
  if (!present.issuerKey?.equals(issuerKey))
    return [{ name: 'switch the issuer and its key', files: { issuerChain, issuerKey } }];
  return isSameChain ? [] : [{ name: 'write the issuer chain', files: { issuerChain } }];
}

function includesAll(some: readonly Certificate[], others: readonly Certificate[]): boolean {
  return holdsAll(
    some,
    others.map(({ fingerprint }) => fingerprint),
  );
}
