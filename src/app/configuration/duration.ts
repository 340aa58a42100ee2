/** Milliseconds in each of the units of Go's time.ParseDuration, which Sentry reads its settings with. */
const goUnits: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  // The Greek letter, where the line above has the micro sign.
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go counts nanoseconds in 64 bits: a little more than 292 years. */
const longestGoMs = 2 ** 63 / 1e6;

/** Reads `24h`, `1h30m`, `25s` as Go does; undefined where Go would refuse. In milliseconds. */
export function parseGoDuration(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0;
  const match = /^([-+]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (!match) return undefined;
  let total = 0;
  for (const [, value, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(value) * (goUnits[unit ?? ''] ?? Number.NaN);
  }
  if (total >= longestGoMs) return undefined;
  return match[1] === '-' ? -total : total;
}

/** `24h`, `1h30m`, `25s`: what `parseGoDuration` reads again, less the parts of a second. */
export function formatGoDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const text = parts.flatMap(([count, unit]) => (count > 0 ? `${count}${unit}` : [])).join('');
  return text || '0s';
}

const dayMs = 86_400_000;
const validityUnits: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: dayMs,
  w: 7 * dayMs,
  y: 365 * dayMs,
};

/** Reads `365` (days, as upstream), `12h`, `90d`, `10y`; undefined for anything else. In milliseconds. */
export function parseValidity(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smhdwy]?)$/.exec(text.trim());
  if (!match) return undefined;
  const ms = Number(match[1]) * (validityUnits[match[2] || 'd'] ?? Number.NaN);
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
