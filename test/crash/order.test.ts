import { watch } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { makeTrustDirectory } from '../support/trust-directory.ts';
import { trace, whyNoTrace } from './trace.ts';

const obstacle = whyNoTrace();
if (obstacle) console.warn(`skipped: the order of writes is not looked at, because ${obstacle}`);

describe.skipIf(obstacle)('the system calls of a renewal', () => {
  let calls: readonly string[];
  let watched: readonly { readonly event: string; readonly name: string | null }[];

  beforeAll(async () => {
    const program: Program = copyProgram();
    const { parent, directory } = await makeTrustDirectory('plain', { parent: temporaryDirectory('order') });
    const events: { event: string; name: string | null }[] = [];
    const watcher = watch(directory, (event, name) => events.push({ event, name }));
    const args = ['renew-certificate', '--dir', directory, '--settle', '0'];
    const run = await trace([...program.command, ...args], parent, { threads: 'main' });
    expect(run.outcome.exitCode, run.outcome.stderr).toBe(0);
    calls = run.calls.map(({ what }) => what);
    watched = events;
    watcher.close();
  });

  const files = [
    { name: 'ca.crt', step: 0 },
    { name: 'issuer.crt', step: 1 },
    { name: 'issuer.key', step: 1 },
  ];

  test.each(files)(
    '$name is written, synced, renamed into its place, and the directory is synced',
    ({ name, step }) => {
      const waiting = `/certs.mtls/pending-ID/step-${step}`;
      expectOrder([
        `openat "${waiting}/${name}", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW, 0600`,
        `write <${waiting}/${name}>, `,
        `fchmod <${waiting}/${name}>, 0600`,
        `fsync <${waiting}/${name}>`,
        `fsync <${waiting}>`,
        `fsync </certs.mtls/pending-ID>`,
        `fsync </certs.mtls>`,
        ...journal,
        `rename "${waiting}/${name}", "/certs/${name}"`,
        'fsync </certs>',
        'unlink "/certs.mtls/journal.json"',
        'fsync </certs.mtls>',
      ]);
    },
  );

  const journal = [
    'write </certs.mtls/.PID.tmp>, ',
    'fsync </certs.mtls/.PID.tmp>',
    'rename "/certs.mtls/.PID.tmp", "/certs.mtls/journal.json"',
    'fsync </certs.mtls>',
  ];

  test('the issuer and its key are renamed with nothing between', () => {
    const first = calls.indexOf('rename "/certs.mtls/pending-ID/step-1/issuer.crt", "/certs/issuer.crt"');
    expect(calls[first + 1]).toBe('rename "/certs.mtls/pending-ID/step-1/issuer.key", "/certs/issuer.key"');
  });

  test('each step is synced before the next begins', () => {
    const into = (call: string) => /^rename .*, "\/certs\/(.*)"$/.exec(call)?.[1];
    const steps = calls.flatMap((call) => into(call) ?? (call === 'fsync </certs>' ? 'sync' : []));
    expect(steps).toEqual(['ca.crt', 'sync', 'issuer.crt', 'issuer.key', 'sync']);
  });

  test('nothing but these renames happens in the directory that Sentry watches', () => {
    const within = calls.filter((call) => call.includes('/certs/') || call.includes('/certs"'));
    expect(within).toEqual(
      files.map(({ name, step }) => `rename "/certs.mtls/pending-ID/step-${step}/${name}", "/certs/${name}"`),
    );
    expect(new Set(watched.map(({ event }) => event))).toEqual(new Set(['rename']));
    expect(watched.map(({ name }) => name)).toEqual(files.map(({ name }) => name));
  });

  /** The calls are there, each behind the one before. */
  function expectOrder(expected: readonly string[]): void {
    let from = 0;
    for (const call of expected) {
      const found = calls.indexOf(call, from);
      expect(found, `${call} is not among\n${calls.slice(from).join('\n')}`).toBeGreaterThanOrEqual(0);
      from = found + 1;
    }
  }
});
