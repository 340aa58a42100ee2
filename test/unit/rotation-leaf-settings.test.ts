import { describe, expect, test } from 'vitest';
import { followSettings, longestLifeMs } from '../../src/app/rotate/leaf-settings.ts';
import type { RotationSettings } from '../../src/app/rotate/record.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const at = (hour: number) => new Date(Date.UTC(2026, 10, 22, hour));
const recorded: RotationSettings = {
  workloadCertTtlMs: 24 * hourMs,
  allowedClockSkewMs: 15 * minuteMs,
  hasExternalClients: false,
  drain: 'wait',
  sentryAddress: undefined,
};

interface Seen {
  readonly ttl?: number;
  readonly skew?: number;
  readonly clients?: boolean;
}

/** One look after the other, an hour between them, the first at one o'clock. */
function follow(...looks: readonly (Seen | undefined)[]) {
  return looks.reduce(
    ({ settings, changes }, seen, index) => {
      const { ttl = 24 * hourMs, skew = 15 * minuteMs, clients = false } = seen ?? {};
      const told = { workloadCertTtlMs: ttl, allowedClockSkewMs: skew, hasExternalClients: clients };
      const next = followSettings(settings, { at: at(index + 1), settings: seen && told }, 'drain');
      return { settings: next.settings, changes: [...changes, ...next.changes] };
    },
    { settings: recorded, changes: [] as readonly string[] },
  );
}

describe('what people set anew is followed', () => {
  test('nothing is recorded while nothing changes, or nothing may be read', () => {
    const { settings, changes } = follow({}, undefined, {});
    expect(settings).toBe(recorded);
    expect(changes).toEqual([]);
  });

  test('with what was in force before, and when that was seen to have ended', () => {
    const { settings, changes } = follow({}, { ttl: 48 * hourMs }, { ttl: 48 * hourMs, skew: 90_000 });
    expect(changes).toEqual(['workloadCertTTL is 48h now, and was 24h', 'allowedClockSkew is 1m30s now, and was 15m']);
    expect(settings).toMatchObject({ workloadCertTtlMs: 48 * hourMs, allowedClockSkewMs: 90_000 });
    expect(settings.formerLives).toEqual([
      { workloadCertTtlMs: 24 * hourMs, allowedClockSkewMs: 15 * minuteMs, until: at(2).toISOString() },
      { workloadCertTtlMs: 48 * hourMs, allowedClockSkewMs: 15 * minuteMs, until: at(3).toISOString() },
    ]);
  });

  test('clients of other tokens stay, once they may have joined', () => {
    const { settings, changes } = follow({}, { clients: true }, {});
    expect(settings).toMatchObject({ hasExternalClients: true, externalClientsSince: 'drain' });
    expect(changes).toEqual(['tokenValidators let clients in that are in no audit']);
  });
});

describe('the longest life counts that a certificate may have been signed for by then', () => {
  const life = (looks: readonly Seen[], hour: number) => longestLifeMs(follow(...looks).settings, at(hour)) / hourMs;
  const raised: Seen[] = [{}, { ttl: 48 * hourMs, skew: hourMs }];
  const lowered: Seen[] = [{}, { ttl: hourMs, skew: 0 }];

  test.each<[string, readonly Seen[], number, number]>([
    ['as it is in a record of before', [], 0, 24.25],
    ['raised before then', raised, 3, 49],
    ['raised in that very moment', raised, 2, 49],
    ['raised behind it', raised, 1, 24.25],
    ['lowered before then: who signed may not have read it', lowered, 3, 24.25],
    ['lowered behind it', lowered, 1, 24.25],
    ['raised and taken back before then', [...raised, {}], 9, 49],
    [
      'the life once, the skew another time',
      [
        { ttl: 48 * hourMs, skew: 0 },
        { ttl: hourMs, skew: 2 * hourMs },
      ],
      9,
      50,
    ],
  ])('%s', (_, looks, hour, hours) => {
    expect(life(looks, hour)).toBe(hours);
  });
});
