import type { StoreLocation } from '../../store/port.ts';
import { formatInstant } from '../report.ts';
import { type Change, findChanges, remember } from './changes.ts';
import { hasPassed, type Moment, msUntilPassed } from './moment.ts';
import { issuerOf, type Picture, pictureOf, rootOf } from './picture.ts';
import type { Announcement, Sight } from './ports.ts';
import { type LookFailure, reportWatch, type WatchReport } from './report.ts';
import type { Threshold } from './thresholds.ts';
import { findWarnings, keyOf, nextTurnOf, type Warning } from './warnings.ts';

export interface WatchState {
  readonly location: StoreLocation;
  readonly thresholds: readonly Threshold[];
  /** Who does not lead looks and counts, and says nothing. */
  readonly leads: boolean;
  /** What the last look that succeeded has found. */
  readonly picture: Picture | undefined;
  /** What the next one is compared with. */
  readonly remembered: Picture | undefined;
  readonly lookedAt: Moment | undefined;
  /** Why looking fails, since when and how often. */
  readonly failing: { readonly failure: LookFailure; readonly since: Moment; readonly looks: number } | undefined;
  /** When each warning that stands was told last. */
  readonly told: ReadonlyMap<string, Moment>;
  readonly counts: { readonly changes: number; readonly warnings: number; readonly failedReads: number };
}

export type Happening =
  | { readonly kind: 'looked'; readonly sight: Sight }
  | { readonly kind: 'failed'; readonly failure: LookFailure }
  | { readonly kind: 'lead'; readonly leads: boolean }
  /** Nothing but time. */
  | { readonly kind: 'passed' };

export interface LogEntry {
  readonly level: 'info' | 'warning' | 'error';
  readonly message: string;
}

/** What a turn of the watch asks to be done. */
export type Effect =
  | ({ readonly kind: 'log' } & LogEntry)
  | { readonly kind: 'announce'; readonly announcement: Announcement }
  | { readonly kind: 'report'; readonly report: WatchReport };

export interface Turn {
  readonly state: WatchState;
  readonly effects: readonly Effect[];
}

export function beginWatch(location: StoreLocation, thresholds: readonly Threshold[], leads: boolean): WatchState {
  return {
    location,
    thresholds,
    leads,
    picture: undefined,
    remembered: undefined,
    lookedAt: undefined,
    failing: undefined,
    told: new Map(),
    counts: { changes: 0, warnings: 0, failedReads: 0 },
  };
}

const hourMs = 3_600_000;

/** One turn: what has happened leads to what is remembered and what is to be done. Pure. */
export function turnWatch(before: WatchState, happening: Happening, now: Moment): Turn {
  const { state, changes, remarks } = take(before, happening, now);
  const standing = warningsOf(state, now.at);
  const due = state.leads ? standing.filter((warning) => isDue(warning, state.told, now)) : [];
  const keys = new Set(standing.map(keyOf));
  const told = new Map([...state.told].filter(([key]) => keys.has(key)));
  for (const warning of due) told.set(keyOf(warning), now);
  const counts = {
    ...state.counts,
    changes: state.counts.changes + changes.length,
    warnings: state.counts.warnings + due.length,
  };
  const after = { ...state, told, counts };
  return { state: after, effects: [...remarks.map(log), ...(after.leads ? tell(after, changes, due, now.at) : [])] };
}

interface Taken {
  readonly state: WatchState;
  readonly changes: readonly Change[];
  /** Lines of the log that are neither change nor warning. */
  readonly remarks: readonly LogEntry[];
}

function take(state: WatchState, happening: Happening, now: Moment): Taken {
  switch (happening.kind) {
    case 'looked':
      return takeSight(state, happening.sight, now);
    case 'failed':
      return { state: takeFailure(state, happening.failure, now), changes: [], remarks: [] };
    case 'lead':
      return takeLead(state, happening.leads);
    case 'passed':
      return { state, changes: [], remarks: [] };
  }
}

function takeSight(state: WatchState, sight: Sight, now: Moment): Taken {
  const picture = pictureOf(sight, state.location, state.thresholds, state.picture);
  const { remembered, failing } = state;
  const recovered = failing ? [describeRecovery(failing)] : [];
  return {
    state: { ...state, picture, remembered: remember(remembered, picture), lookedAt: now, failing: undefined },
    changes: [...recovered, ...(remembered ? findChanges(remembered, picture) : [])],
    remarks: remembered ? [] : describeBeginning(picture, state.location),
  };
}

function takeFailure(state: WatchState, failure: LookFailure, now: Moment): WatchState {
  const { failing, counts } = state;
  return {
    ...state,
    failing: { failure, since: failing?.since ?? now, looks: (failing?.looks ?? 0) + 1 },
    counts: { ...counts, failedReads: counts.failedReads + 1 },
  };
}

/** Who takes the lead does not know what the other one has told: what stands is told at once. */
function takeLead(state: WatchState, leads: boolean): Taken {
  if (leads === state.leads) return { state, changes: [], remarks: [] };
  const message = leads
    ? 'This replica leads now, and tells of changes and warnings'
    : 'This replica does not lead: it looks and serves figures';
  return { state: { ...state, leads, told: new Map() }, changes: [], remarks: [{ level: 'info', message }] };
}

function describeBeginning(picture: Picture, { kind, name }: StoreLocation): LogEntry[] {
  const ends = [
    ['root', rootOf(picture)],
    ['issuer', issuerOf(picture)],
  ] as const;
  const words = ends.map(([role, found]) =>
    found ? `${role} until ${formatInstant(found.certificate.notAfter)}` : `${role} not known`,
  );
  return [
    { level: 'info', message: `Watching the trust bundle of ${kind} ${name}: ${words.join(', ')}` },
    ...picture.unread.map((message) => ({ level: 'info' as const, message })),
  ];
}

function describeRecovery({ since, looks }: NonNullable<WatchState['failing']>): Change {
  const times = looks === 1 ? 'one look' : `${looks} looks`;
  const message = `Looking succeeds again, after ${times} that failed since ${formatInstant(since.at)}`;
  return { reason: 'LookRecovered', about: 'look', message };
}

function warningsOf({ picture, failing }: WatchState, at: Date): Warning[] {
  const standing = picture ? findWarnings(picture, at) : [];
  if (!failing) return standing;
  const { code, message, hint } = failing.failure;
  const text = `Looking failed: ${message} (${code}). ${hint}`;
  return [{ reason: 'LookFailed', about: code, message: text, level: 'error', isHourly: true }, ...standing];
}

function isDue(warning: Warning, told: WatchState['told'], now: Moment): boolean {
  const last = told.get(keyOf(warning));
  return !last || (warning.isHourly && hasPassed(last, now, hourMs));
}

function tell(state: WatchState, changes: readonly Change[], warnings: readonly Warning[], at: Date): Effect[] {
  const report = (event: WatchReport['event']): Effect => ({
    kind: 'report',
    report: reportWatch({ event, changes, warnings }, state.location, state.picture, state.failing?.failure, at),
  });
  return [
    ...changes.map(({ message }) => log({ level: 'info', message })),
    ...warnings.map(({ level, message }) => log({ level, message })),
    ...changes.map((change) => announce('Normal', change)),
    ...warnings.map((warning) => announce('Warning', warning)),
    ...(changes.length > 0 ? [report('change')] : []),
    ...(warnings.length > 0 ? [report('warning')] : []),
  ];
}

function log(entry: LogEntry): Effect {
  return { kind: 'log', ...entry };
}

function announce(type: Announcement['type'], { reason, message, about }: Change | Warning): Effect {
  return { kind: 'announce', announcement: { type, reason, message, about } };
}

/** How long until time alone has something told, in milliseconds; undefined where it never will. */
export function msUntilDue(state: WatchState, now: Moment): number | undefined {
  const standing = state.leads ? warningsOf(state, now.at) : [];
  const hourly = standing.flatMap((warning) => {
    const last = state.told.get(keyOf(warning));
    if (!last) return [0];
    return warning.isHourly ? [msUntilPassed(last, now, hourMs)] : [];
  });
  const turn = state.picture && nextTurnOf(state.picture, now.at);
  const waits = [...hourly, ...(turn ? [turn.getTime() - now.at.getTime()] : [])];
  return waits.length === 0 ? undefined : Math.max(0, Math.min(...waits));
}
