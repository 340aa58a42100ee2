/** How long a change of a cluster's bundle waits, in milliseconds. */
export interface ClusterWaits {
  readonly pauseMs: number;
  readonly watchMs: number;
  readonly takeOverMs: number;
}

/**
 * A Sentry that has read the old Secret reads the ConfigMap within this time. Its two reads are
 * milliseconds apart, but a starting pod may be starved of its processor between them.
 */
const pauseMs = 2000;
/** Far longer than a living run goes without writing its claim, retries of its requests included. */
const takeOverMs = 20_000;

/** The tests' model Sentry takes milliseconds, and their suites make thousands of changes. */
const testPause = 'DAPR_MTLS_TEST_CLUSTER_PAUSE_MS';
/** Theirs die by the hundred while they hold the lock of a rotation. */
const testLease = 'DAPR_MTLS_TEST_CLUSTER_LEASE_MS';

/**
 * The pause and the take-over keep a Sentry from making a new root and two runs from writing at
 * once, so no flag reaches them; only the watch afterwards may be left out.
 * @param server the API server's URL: the tests' own shortened pause counts on loopback alone
 */
export function chooseWaits(settleSeconds: number, env: NodeJS.ProcessEnv, server: string): ClusterWaits {
  return { pauseMs: wishOfTests(testPause, env, server) ?? pauseMs, watchMs: settleSeconds * 1000, takeOverMs };
}

/**
 * How long a holder of a rotation's lock may stand still without counting as dead, in milliseconds.
 * @param usualMs for everybody but the tests; with none at all the living would be taken over from
 * @param server the API server's URL, as for `chooseWaits`
 */
export function chooseLease(usualMs: number, env: NodeJS.ProcessEnv, server: string): number {
  return wishOfTests(testLease, env, server) || usualMs;
}

function wishOfTests(name: string, env: NodeJS.ProcessEnv, server: string): number | undefined {
  const wished = env[name];
  return wished !== undefined && /^\d+$/.test(wished) && isLoopback(server) ? Number(wished) : undefined;
}

function isLoopback(server: string): boolean {
  const { hostname } = new URL(server);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
