import { readBundle } from '../../pki/reading.ts';
import { type DaprVersion, isAtLeast } from '../../pki/rules/context.ts';
import { type Finding, finding } from '../../pki/rules/finding.ts';
import { judge } from '../../pki/rules/judge.ts';
import type { FoundFiles, StoreLocation } from '../../store/port.ts';
import { judgeCluster, type ObjectFacts } from '../check/cluster.ts';
import type { MtlsSettings } from '../configuration/settings.ts';
import { judgeTokenValidators } from '../configuration/validators.ts';
import { wayToStore } from '../way-to-store.ts';

/** What of a control plane is seen without any right on its Secret. */
export interface PublicSurvey {
  /** With the issuer chain that was seen last, where none is seen now. */
  readonly files: FoundFiles;
  readonly location: StoreLocation;
  /** Of the ConfigMap; undefined where there is none. */
  readonly configMap: ObjectFacts | undefined;
  readonly settings: MtlsSettings;
  /** Why what answers as Sentry, or answered last, is not believed; undefined where it is. */
  readonly refusal: { readonly message: string; readonly hint: string } | undefined;
  readonly daprVersion: DaprVersion | undefined;
}

/**
 * The findings of `check -k` that need neither the issuer key nor the Secret: what was not looked at is
 * not said to be missing. Pure.
 */
export function judgePublic(
  { files, location, configMap, settings, refusal, daprVersion }: PublicSurvey,
  at: Date,
  warnBeforeMs: number,
): Finding[] {
  const { names } = location;
  const ofBundle = judge({
    reading: readBundle(files, names),
    names,
    wayToStore: wayToStore(location),
    workloadCertTtlMs: settings.workloadCertTtlMs,
    allowedClockSkewMs: settings.allowedClockSkewMs,
    at,
    warnBeforeMs,
    daprVersion,
  });
  const hasConfigMap = configMap !== undefined || daprVersion === undefined || isAtLeast(daprVersion, 1, 12);
  const ofObjects = judgeCluster({
    name: location.name,
    anchorsName: names.anchors,
    hasConfigMap,
    isSettled: true,
    // Of the Secret nothing is known, so it is taken to agree.
    secret: { anchors: configMap?.anchors ?? Buffer.from('not read'), isImmutable: false },
    configMap,
    unread: [],
  });
  return [
    ...(refusal ? [notBelieved(refusal)] : []),
    ...(hasConfigMap ? [] : [secretAlone(location)]),
    ...ofBundle.filter(({ code }) => code !== 'bundle.missing'),
    ...ofObjects,
    ...judgeTokenValidators(settings.tokenValidators, wayToStore(location)),
  ];
}

/** Field by field: the message of an error is lost where it is spread. */
function notBelieved({ message, hint }: NonNullable<PublicSurvey['refusal']>): Finding {
  return finding('issuer.unknown-authority', { subject: 'Sentry', message, hint });
}

/** A warning, because the end of the root is what a watch is there for. */
function secretAlone({ name }: StoreLocation): Finding {
  return finding('cluster.unread', {
    subject: `Secret ${name}`,
    severity: 'warning',
    message:
      'Dapr up to 1.11 keeps the trust anchors in it alone, and it is not read: the end of the root is not watched',
    hint: 'Say --read-secret, with the right to read it: `dapr-mtls manifest watch --read-secret` prints it.',
  });
}
