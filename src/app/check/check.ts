import { readBundle } from '../../pki/reading.ts';
import type { DaprVersion } from '../../pki/rules/context.ts';
import { type Finding, finding, type Severity } from '../../pki/rules/finding.ts';
import { judge } from '../../pki/rules/judge.ts';
import type { StoredBundle, StoreLocation } from '../../store/port.ts';
import type { MtlsSettings } from '../configuration/settings.ts';
import { judgeTokenValidators } from '../configuration/validators.ts';
import { type Document, describeStore, document, formatInstant, type StoreReport } from '../report.ts';
import { wayToStore } from '../way-to-store.ts';

export interface CheckReport extends Document<'Check'> {
  readonly store: StoreReport;
  readonly at: string;
  readonly findings: readonly Finding[];
  readonly summary: Readonly<Record<Severity, number>>;
}

/** What the store itself tells beside the three files. */
export interface Surroundings {
  readonly settings: MtlsSettings;
  /** What the kind of store has to say, judged already: judgeDirectory, judgeCluster. */
  readonly findings: readonly Finding[];
}

export interface CheckOptions {
  readonly at: Date;
  readonly warnBeforeMs: number;
  readonly daprVersion: DaprVersion | undefined;
}

/** Every rule that Sentry and its clients apply, and good practice. Pure. */
export function checkBundle(
  stored: StoredBundle,
  location: StoreLocation,
  surroundings: Surroundings,
  options: CheckOptions,
): CheckReport {
  const { workloadCertTtlMs, allowedClockSkewMs } = surroundings.settings;
  const findings = [
    ...(isAway(stored, location)
      ? []
      : judge({
          reading: readBundle(stored.files, location.names),
          names: location.names,
          wayToStore: wayToStore(location),
          workloadCertTtlMs,
          allowedClockSkewMs,
          ...options,
        })),
    ...judgeStore(stored, location),
    ...judgeTokenValidators(surroundings.settings.tokenValidators, wayToStore(location)),
    ...surroundings.findings,
  ];
  return document('Check', {
    store: describeStore(location, stored),
    at: formatInstant(options.at),
    findings: [...findings].sort((a, b) => rank(a) - rank(b)),
    summary: summarize(findings),
  });
}

export function summarize(findings: readonly Finding[]): CheckReport['summary'] {
  const count = (severity: Severity) => findings.filter((found) => found.severity === severity).length;
  return { error: count('error'), warning: count('warning'), info: count('info') };
}

/** In a cluster it depends on the objects what Sentry does without any of the three; judgeCluster tells. */
function isAway({ files }: StoredBundle, { kind }: StoreLocation): boolean {
  return kind === 'cluster' && Object.values(files).every((content) => content === undefined);
}

const severities: readonly Severity[] = ['error', 'warning', 'info'];

function rank({ severity }: Finding): number {
  return severities.indexOf(severity);
}

function judgeStore({ state }: StoredBundle, { name, kind }: StoreLocation): Finding[] {
  if (state === 'interrupted') {
    return [
      finding('store.interrupted', {
        subject: name,
        message: 'a change was interrupted; what is judged here is the bundle it leads to',
        hint:
          kind === 'cluster' ? 'Finish it: `dapr-mtls repair -k`.' : `Finish it: \`dapr-mtls repair --dir ${name}\`.`,
      }),
    ];
  }
  if (state !== 'changing') return [];
  return [
    finding('store.changing', {
      subject: name,
      message: 'another run is changing the store right now',
      hint: 'Wait until it has ended.',
    }),
  ];
}

/** 10 when there is a finding at least as grave as asked. */
export function exitCodeOfFindings({ summary }: CheckReport, failOn: 'never' | 'warning' | 'error'): number {
  if (failOn === 'never') return 0;
  const counted = summary.error + (failOn === 'warning' ? summary.warning : 0);
  return counted > 0 ? 10 : 0;
}
