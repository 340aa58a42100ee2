import { DaprMtlsError } from '../../errors.ts';
import { type BundleFiles, findRoot, type TrustBundle } from '../../pki/bundle.ts';
import { hasSameKey } from '../../pki/certificate.ts';
import { encodeBundle } from '../../pki/encode.ts';
import { publicKeyOf } from '../../pki/keys.ts';
import { readBundle, visibleCertificatesOf } from '../../pki/reading.ts';
import type { DaprVersion } from '../../pki/rules/context.ts';
import { judge } from '../../pki/rules/judge.ts';
import type { SideFile } from '../../store/port.ts';
import { type BundleWish, makeBundle } from '../init.ts';
import { describeRootKey, planRootKey, type RootKeyReport, type RootKeyWish, rootKeyLost } from '../root-key.ts';

export interface FirstBundleInput extends BundleWish {
  /** Own certificates; undefined: new ones are made. */
  readonly own: TrustBundle | undefined;
  readonly saveRootKey: RootKeyWish | undefined;
  /** What will be installed; undefined where that is not known. */
  readonly daprVersion: DaprVersion | undefined;
}

export interface FirstBundle {
  readonly kind: 'made' | 'own' | 'kept';
  readonly files: BundleFiles;
  /** The root key, where it is to be kept. */
  readonly sideFiles: readonly SideFile[];
  readonly rootKey: RootKeyReport | null;
  readonly remarks: readonly string[];
}

const names = { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' };
/** The chart's own. */
const workloadCertTtlMs = 86_400_000;

/**
 * The bundle that a new control plane begins with, judged by all rules. Nothing is written.
 * @throws DaprMtlsError `trust.refused`, `usage.invalid`
 */
export async function makeFirstBundle(input: FirstBundleInput): Promise<FirstBundle> {
  const made = input.own ? { bundle: input.own, rootKey: undefined } : await makeBundle(input);
  const files = encodeBundle(made.bundle);
  assertSound(files, input);
  const isLost = made.rootKey !== undefined && !input.saveRootKey && !input.rootKey;
  return {
    kind: input.own ? 'own' : 'made',
    files,
    sideFiles: planRootKey(made.rootKey, input.saveRootKey),
    rootKey: made.rootKey ? describeRootKey(input.saveRootKey) : null,
    remarks: isLost ? [rootKeyLost] : [],
  };
}

/**
 * The bundle of an interrupted run. What the flags ask for has to be that one.
 * @throws DaprMtlsError `dapr.exists`
 */
export function keepLaidBundle(
  files: BundleFiles,
  { own, rootKey, namespace }: Pick<FirstBundleInput, 'own' | 'rootKey'> & { readonly namespace: string },
): FirstBundle {
  const reading = readBundle(files, names);
  const root = findRoot(visibleCertificatesOf(reading.anchors), visibleCertificatesOf(reading.issuerChain));
  const asked = own && encodeBundle(own);
  const isOther =
    (asked !== undefined && !(asked.anchors.equals(files.anchors) && asked.issuerChain.equals(files.issuerChain))) ||
    (rootKey !== undefined && !(root && hasSameKey(publicKeyOf(rootKey), root.publicKey)));
  if (isOther) {
    throw new DaprMtlsError('dapr.exists', {
      message: `an earlier run has laid another bundle in ${namespace} and was interrupted; nothing was written`,
      hint: `Go on with that one: leave the flags of keys and certificates out. Or begin anew: kubectl delete secret,configmap dapr-trust-bundle -n ${namespace}, then run this command again.`,
    });
  }
  return {
    kind: 'kept',
    files,
    sideFiles: [],
    rootKey: null,
    remarks: ['An earlier run had laid the bundle and was interrupted; it was kept as it is.'],
  };
}

function assertSound(files: BundleFiles, { now, allowedClockSkewMs, daprVersion }: FirstBundleInput): void {
  const findings = judge({
    reading: readBundle(files, names),
    names,
    at: now,
    warnBeforeMs: 0,
    daprVersion,
    workloadCertTtlMs,
    allowedClockSkewMs,
    wayToStore: ' -k',
  });
  const error = findings.find(({ severity }) => severity === 'error');
  if (!error) return;
  throw new DaprMtlsError('trust.refused', {
    message: `Dapr would not work on this bundle: ${error.message}`,
    hint: `Nothing was written. ${error.hint}`,
  });
}
