const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Go's time.RFC1123 in UTC: `Mon, 04 Apr 2022 15:01:03 UTC`. */
export function formatRfc1123(date: Date): string {
  const day = pad(date.getUTCDate());
  return `${days[date.getUTCDay()]}, ${day} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()} ${clockTime(date)} UTC`;
}

/** Go's Time.String in UTC: `2027-11-22 00:55:20 +0000 UTC`. */
export function formatGoTime(date: Date): string {
  return `${date.toISOString().slice(0, 10)} ${clockTime(date)} +0000 UTC`;
}

function clockTime(date: Date): string {
  return date.toISOString().slice(11, 19);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

const units: readonly [string, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** The two largest units, rounded towards zero: `2 days 15 hours`, `1 minute 3 seconds`. */
export function formatSpan(seconds: number): string {
  let rest = Math.abs(Math.trunc(seconds));
  const parts: string[] = [];
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 seconds';
}

/** For tables: `355d`, `15h`, `3m`; a minus sign once it has ended. */
export function formatShortSpan(seconds: number): string {
  const rest = Math.abs(Math.trunc(seconds));
  const [name, size] = units.find(([, unit]) => rest >= unit) ?? ['second', 1];
  return `${seconds < 0 ? '-' : ''}${Math.floor(rest / size)}${name[0]}`;
}
