import type { Credentials, Login } from './access.ts';

/**
 * A login that somebody is asked for: at the first request, when it has ended, and after a 401. All
 * requests that are under way share one asking.
 */
export function renewableCredentials<T extends Login>(
  ask: () => Promise<T>,
  hasEnded: (login: T) => boolean,
): Credentials {
  let asked: Promise<T> | undefined;
  const askAnew = () => {
    asked = ask();
    return asked;
  };
  /** Only the first to find a login unusable asks for another. */
  async function replaceIf(isUnusable: (login: T) => boolean): Promise<T> {
    const before = asked ?? askAnew();
    const login = await before;
    if (!isUnusable(login)) return login;
    return asked === before ? askAnew() : (asked ?? askAnew());
  }
  return {
    current: () => replaceIf(hasEnded),
    renew: (refused) => replaceIf((login) => login === refused),
  };
}
