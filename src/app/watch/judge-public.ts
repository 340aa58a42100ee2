import { readBundle } from '../../pki/reading.ts';
import type { DaprVersion } from '../../pki/rules/context.ts';
import { type Finding, finding } from '../../pki/rules/finding.ts';
import { judge } from '../../pki/rules/judge.ts';
import type { StoredBundle, StoreLocation } from '../../store/port.ts';
import { judgeCluster, type ObjectFacts } from '../check/cluster.ts';
import type { MtlsSettings } from '../configuration/settings.ts';
import { judgeTokenValidators } from '../configuration/validators.ts';
import { wayToStore } from '../way-to-store.ts';

/** What of a control plane is seen without any right on its Secret. */
export interface PublicSurvey {
  readonly stored: StoredBundle;
  readonly location: StoreLocation;
  /** Of the ConfigMap; undefined where there is none. */
  readonly configMap: ObjectFacts | undefined;
  readonly settings: MtlsSettings;
  /** Why what answers as Sentry is not believed; undefined where it is, or does not answer. */
  readonly refusal: { readonly message: string; readonly hint: string } | undefined;
  readonly daprVersion: DaprVersion | undefined;
}

/**
 * The findings of `check -k` that need neither the issuer key nor the Secret: what was not looked at is
 * not said to be missing. Pure.
 */
export function judgePublic(
  { stored, location, configMap, settings, refusal, daprVersion }: PublicSurvey,
  at: Date,
  warnBeforeMs: number,
): Finding[] {
  const { names } = location;
  const ofBundle = judge({
    reading: readBundle(stored.files, names),
    names,
    wayToStore: wayToStore(location),
    workloadCertTtlMs: settings.workloadCertTtlMs,
    allowedClockSkewMs: settings.allowedClockSkewMs,
    at,
    warnBeforeMs,
    daprVersion,
  });
  const ofObjects = judgeCluster({
    name: location.name,
    anchorsName: names.anchors,
    hasConfigMap: true,
    isSettled: true,
    // Of the Secret nothing is known, so it is taken to agree.
    secret: { anchors: configMap?.anchors ?? Buffer.from('not read'), isImmutable: false },
    configMap,
    unread: [],
  });
  return [
    ...(refusal ? [finding('issuer.unknown-authority', { subject: 'Sentry', ...refusal })] : []),
    ...ofBundle.filter(({ code }) => code !== 'bundle.missing'),
    ...ofObjects,
    ...judgeTokenValidators(settings.tokenValidators, wayToStore(location)),
  ];
}
