import { hostname, userInfo } from 'node:os';

/** Whom to ask for this run: person, host and process. */
export function describeHolder(): string {
  return `${userName()}@${hostname()}, process ${process.pid}`;
}

/** A user of a container need not have a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'somebody');
  }
}
