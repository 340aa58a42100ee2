import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { chooseLease, chooseWaits } from '../../src/cli/cluster-waits.ts';
import { isProvablyDead } from '../../src/store/cluster/liveness.ts';
import { identifyThisProcess } from '../../src/store/directory/process-identity.ts';

const remote = 'https://cluster.example:6443';
const hurry = { DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '5' };

describe('the waits of a change in a cluster', () => {
  test.each([0, 0.5, 10, 3600])('--settle %d sets the watch alone', (settle) => {
    expect(chooseWaits(settle, {}, remote)).toEqual({ pauseMs: 2000, watchMs: settle * 1000, takeOverMs: 20_000 });
  });

  test.each(['https://127.0.0.1:6443', 'https://127.3.2.1', 'https://localhost:6443', 'https://[::1]:6443'])(
    "the tests' own pause counts at %s, and leaves the take-over alone",
    (server) => {
      expect(chooseWaits(0, hurry, server)).toEqual({ pauseMs: 5, watchMs: 0, takeOverMs: 20_000 });
    },
  );

  test.each([
    remote,
    'https://10.0.0.1',
    'https://128.0.0.1',
    'https://127.0.0.1.example',
    'https://localhost.example:6443',
    'https://[::2]',
  ])('and nowhere else: %s', (server) => {
    expect(chooseWaits(0, hurry, server).pauseMs).toBe(2000);
  });

  test.each(['', 'none', '-1', '1e1', '0.5'])('nor where it is no number: %j', (wished) => {
    const env = { DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: wished };
    expect(chooseWaits(0, env, 'https://127.0.0.1').pauseMs).toBe(2000);
  });
});

describe('the lease of a rotation', () => {
  const usualMs = 15_000;

  test("is the tests' own on loopback alone", () => {
    const env = { DAPR_MTLS_TEST_CLUSTER_LEASE_MS: '800' };
    expect(chooseLease(usualMs, env, 'https://127.0.0.1:6443')).toBe(800);
    expect(chooseLease(usualMs, env, remote)).toBe(usualMs);
    expect(chooseLease(usualMs, hurry, 'https://127.0.0.1:6443')).toBe(usualMs);
  });

  test.each(['', '0', '-1', '0.5', 'none'])('is the usual one where it is no length of time: %j', (wished) => {
    const env = { DAPR_MTLS_TEST_CLUSTER_LEASE_MS: wished };
    expect(chooseLease(usualMs, env, 'https://127.0.0.1')).toBe(usualMs);
  });
});

describe('a run is known to be dead', () => {
  const here = identifyThisProcess();
  const isLinux = process.platform === 'linux';

  test.runIf(isLinux)('when its process on this machine is gone', async () => {
    const child = spawn(process.execPath, ['--eval', 'setTimeout(() => {}, 60_000)']);
    const { pid = 0 } = child;
    expect(isProvablyDead({ ...here, pid, startTime: 'another' })).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(isProvablyDead({ ...here, pid })).toBe(true);
  });

  test('but not while it lives, or where only its host bears the same name', () => {
    expect(isProvablyDead(here)).toBe(false);
    const gone = { ...here, pid: 2 ** 30 };
    expect(isProvablyDead({ ...gone, bootId: 'of another machine' })).toBe(false);
    expect(isProvablyDead({ ...gone, host: 'another' })).toBe(false);
    expect(isProvablyDead({ ...gone, pidNamespace: 'of another container' })).toBe(false);
    expect(isProvablyDead({ ...gone, bootId: '' })).toBe(false);
    expect(isProvablyDead(undefined)).toBe(false);
  });
});
