import type { KeyObject } from 'node:crypto';
import { type BundleFiles, findRoot } from '../../pki/bundle.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { verifyLeafOf, whyNotSigned } from '../../pki/chain.ts';
import { readBundle, visibleCertificatesOf } from '../../pki/reading.ts';
import { whySentryRefuses } from '../../pki/sentry.ts';
import type { StoredBundle, StoreLocation } from '../../store/port.ts';

/** The bundle that is to be renewed, as far as it can be used. */
export interface CurrentBundle {
  readonly files: StoredBundle['files'];
  /** Where it lives: a cluster tells what runs on it, a directory does not. */
  readonly kind: StoreLocation['kind'];
  /** As Sentry and daprd read them, whatever they are. */
  readonly visibleAnchors: readonly Certificate[];
  /** Self-signed, valid now: what somebody may hold and still verify with. */
  readonly liveAnchors: readonly Certificate[];
  readonly root: Certificate | undefined;
  readonly issuerChain: readonly Certificate[];
  readonly issuerKey: KeyObject | undefined;
  /** Why a starting Sentry exits on it (or makes all anew); undefined when it runs. */
  readonly refusal: string | undefined;
}

/** Nothing here throws: a broken bundle is what most needs to be renewed. */
export function readCurrent(stored: StoredBundle, { names, kind }: StoreLocation, at: Date): CurrentBundle {
  const reading = readBundle(stored.files, names);
  const anchors = visibleCertificatesOf(reading.anchors);
  const issuerChain = visibleCertificatesOf(reading.issuerChain);
  const { anchors: anchorBytes, issuerChain: chainBytes, issuerKey: keyBytes } = stored.files;
  const files: BundleFiles | undefined = anchorBytes &&
    chainBytes &&
    keyBytes && { anchors: anchorBytes, issuerChain: chainBytes, issuerKey: keyBytes };
  return {
    files: stored.files,
    kind,
    visibleAnchors: anchors,
    liveAnchors: anchors.filter((anchor) => isLive(anchor, at) && !whyNotSigned(anchor, anchor)),
    root: findRoot(anchors, issuerChain),
    issuerChain,
    issuerKey: reading.issuerKey?.key,
    refusal: files ? whySentryRefuses(files, at) : 'a file is missing',
  };
}

function isLive({ notBefore, notAfter }: Certificate, at: Date): boolean {
  return at >= notBefore && at <= notAfter;
}

/** The live anchors under which calls work today: who holds one of them must not be cut off. */
export function workingAnchors({ liveAnchors, issuerChain }: CurrentBundle, at: Date): Certificate[] {
  const [issuer, ...rest] = issuerChain;
  if (!issuer) return [];
  return liveAnchors.filter((anchor) => verifyLeafOf([issuer, ...rest], { anchors: [anchor], at }).ok);
}
