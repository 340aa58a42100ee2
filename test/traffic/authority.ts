import { type LineProcess, startLineProcess } from './line-process.ts';

/** `issuer` and `anchors` are fingerprints. */
type AuthorityEvent =
  | {
      readonly event: 'ready';
      readonly address: string;
      readonly issuer: string;
      readonly anchors: readonly string[];
    }
  | { readonly event: 'loaded'; readonly issuer: string; readonly anchors: readonly string[] }
  | { readonly event: 'exited'; readonly reason: string };

/** The lives of leaves, as `workloadCertTTL` and `allowedClockSkew` in Dapr's Configuration. */
export const leafTtlSeconds = 20;
export const clockSkewSeconds = 2;

const lives = ['-ttl', `${leafTtlSeconds}s`, '-skew', `${clockSkewSeconds}s`];

/** A Sentry that runs on a directory. */
export interface Authority {
  readonly address: string;
  /** Resolves when it works with this issuer and these anchors (fingerprints). */
  worksWith(issuer: string, anchors: readonly string[]): Promise<void>;
  /** Why it has ended itself; undefined while it runs. */
  whyExited(): string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts a Sentry. Rejects where it refuses what is in the directory.
 * @param namespace part of its name in the mesh
 */
export async function startAuthority(program: string, directory: string, namespace = 'default'): Promise<Authority> {
  let exited: string | undefined;
  let latest: { readonly issuer: string; readonly anchors: readonly string[] } | undefined;
  const sentry: LineProcess<AuthorityEvent> = startLineProcess({
    command: [program, 'ca', '-dir', directory, '-namespace', namespace, ...lives],
    env: {},
    onEvent: (event) => {
      if (event.event === 'exited') exited = event.reason;
      else latest = event;
    },
  });
  const { address } = await sentry.seen((event) => event.event === 'ready');
  return {
    address,
    worksWith: async (issuer, anchors) => {
      const isIt = (it: typeof latest) => it?.issuer === issuer && it.anchors.join() === anchors.join();
      if (!isIt(latest)) await sentry.seen((event) => event.event === 'loaded' && isIt(event));
    },
    whyExited: () => exited,
    stop: () => sentry.stop(),
  };
}
