import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { bareEnvironment, run } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { commandOf } from '../support/program-under-test.ts';
import { schemaViolations } from '../support/schema.ts';
import { makeFolder } from '../support/workplace.ts';

const folder = makeFolder('cluster-failures');
const { files } = await makeBundle({ at: new Date() });
let server: ApiServer;
let kubeconfig: string;

beforeAll(async () => {
  server = await startApiServer({
    users: { admin: { allow: 'all' }, reader: { allow: [], deny: [] } },
  });
  server.store.put(...runningControlPlane({ bundle: files }));
  kubeconfig = server.kubeconfig();
  writeFileSync(join(folder, 'broken'), '{not: [yaml');
  writeFileSync(join(folder, 'list'), '- a\n- b\n');
});
afterAll(() => server.stop());

/** Nothing listens there. */
const refusing = 'https://127.0.0.1:1';

const reading = [
  '-k',
  'status -k',
  'expiry',
  'inspect -k',
  'check -k',
  'export -k -o out',
  'backup list',
  'config check -k',
  'config view -k',
  'audit',
  'probe -k',
];
const changing = [
  'renew-certificate -k',
  'repair -k',
  'backup create -k',
  'backup restore -k',
  'backup prune -k',
  'config set workloadCertTTL=12h -k',
  'restart -k',
  'init -k --trust-only',
];

interface Ground {
  readonly name: string;
  readonly flags: () => string[];
  readonly exitCode: number;
  readonly code: string;
  readonly said: RegExp;
}

const grounds: readonly Ground[] = [
  {
    name: 'no kubeconfig',
    flags: () => [],
    exitCode: 3,
    code: 'cluster.kubeconfig',
    said: /there is no way into a cluster/,
  },
  {
    name: 'a kubeconfig that is not there',
    flags: () => ['--kubeconfig', 'nowhere'],
    exitCode: 3,
    code: 'cluster.kubeconfig',
    said: /there is no kubeconfig .*nowhere/,
  },
  {
    name: 'a kubeconfig that is no YAML',
    flags: () => ['--kubeconfig', 'broken'],
    exitCode: 3,
    code: 'cluster.kubeconfig',
    said: /broken/,
  },
  {
    name: 'a kubeconfig that is none',
    flags: () => ['--kubeconfig', 'list'],
    exitCode: 3,
    code: 'cluster.kubeconfig',
    said: /list/,
  },
  {
    name: 'a context that is not there',
    flags: () => ['--kubeconfig', kubeconfig, '--context', 'prod'],
    exitCode: 3,
    code: 'cluster.kubeconfig',
    said: /there is no context "prod" in .*\nThese are there: tests\./,
  },
  {
    name: 'a server that does not answer',
    flags: () => ['--kubeconfig', server.kubeconfig({ server: refusing }), '--request-timeout', '2'],
    exitCode: 3,
    code: 'cluster.unreachable',
    said: /127\.0\.0\.1:1/,
  },
  {
    name: 'a server of another authority',
    flags: () => ['--kubeconfig', server.kubeconfig({ ca: 'wrong' })],
    exitCode: 3,
    code: 'cluster.untrusted',
    said: /certificate/,
  },
  {
    name: 'nobody that the server knows',
    flags: () => ['--kubeconfig', server.kubeconfig({ login: 'wrong-token' })],
    exitCode: 3,
    code: 'cluster.unauthorized',
    said: /401|does not know/,
  },
  {
    name: 'somebody who may do nothing',
    flags: () => ['--kubeconfig', server.kubeconfig({ user: 'reader' })],
    exitCode: 3,
    code: 'cluster.forbidden',
    said: /reader|may not/,
  },
];

/** Every command fails on the first grounds alike; two of them go through the rest. */
const cases = grounds.flatMap((ground, index) =>
  (index < 2 ? [...reading, ...changing] : ['expiry', 'renew-certificate -k']).map((line) => ({ ...ground, line })),
);

describe('without a terminal', () => {
  test.each(cases)('$line, $name', async ({ line, flags, exitCode, code, said }) => {
    const words = [...line.split(' '), ...flags()];
    const [text, json] = await Promise.all([inFolder(words), inFolder([...words, '--format', 'json'])]);
    expect(text).toEqual({
      status: exitCode,
      signal: null,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^Error: [^]*${said.source}`, 'm')),
    });
    expect(text.stderr).not.toMatch(/^\s+at |PRIVATE KEY/m);
    const document = JSON.parse(json.stdout) as { kind: string; code: string; exitCode: number; hint: string };
    expect(schemaViolations(document)).toEqual([]);
    expect(document).toMatchObject({ kind: 'Error', code, exitCode });
    expect(document.hint).not.toBe('');
    expect(json).toMatchObject({ status: exitCode, stderr: expect.stringContaining('Error: ') });
  });

  test.each(changing)('%s knows no --at', async (line) => {
    const { status, stdout, stderr } = await inFolder([
      ...line.split(' '),
      '--at',
      '2027-01-01',
      '--kubeconfig',
      kubeconfig,
    ]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('unknown flag: --at');
  });
});

describe('Ctrl-C', () => {
  test('ends who only looks at once, and nothing is printed', async () => {
    server.faults.add({ when: ({ path }) => path.includes('/secrets/'), do: 'hang' });
    const { status, signal, stdout } = await interrupt(['expiry', '--format', 'json'], () => server.faults.left === 0);
    expect({ status, signal, stdout }).toEqual({ status: null, signal: 'SIGINT', stdout: '' });
  });

  test('stops a change where nothing is half written, and says so in one document', async () => {
    const words = ['renew-certificate', '-k', '--settle', '20', '--format', 'json'];
    const { status, stdout, stderr } = await interrupt(words, (soFar) => soFar.includes('Watching both objects'));
    expect(status, stderr).toBe(130);
    const document = JSON.parse(stdout);
    expect(schemaViolations(document)).toEqual([]);
    expect(document).toMatchObject({ kind: 'Error', code: 'interrupted', exitCode: 130 });
    expect(document.message).toContain('nothing is half written');
    expect((await inFolder(['check', '--kubeconfig', kubeconfig, '--fail-on', 'error'])).status).toBe(0);
  });
});

/** Starts a command and interrupts it as soon as it is where it shall be. */
async function interrupt(words: readonly string[], isThere: (stderr: string) => boolean) {
  const [program, ...before] = commandOf('dapr-mtls');
  const child = spawn(program, [...before, ...words], {
    cwd: folder,
    env: { ...bareEnvironment, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  await vi.waitFor(() => expect(isThere(stderr)).toBe(true), { timeout: 30_000, interval: 50 });
  child.kill('SIGINT');
  const [status, signal] = await closed;
  return { status, signal, stdout, stderr };
}

function inFolder(words: readonly string[]) {
  return run(words, { cwd: folder, env: { HOME: folder } });
}
