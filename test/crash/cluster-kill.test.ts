import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignRoles } from '../../src/app/report.ts';
import { belongsTo } from '../../src/pki/bundle.ts';
import { encodePrivateKey, readPrivateKey } from '../../src/pki/keys.ts';
import { readCertificateFile } from '../../src/pki/reading.ts';
import { makeBundle } from '../support/bundles.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { describeWrite, expectParts, isWrite, openStage, type Stage } from './cluster-stage.ts';
import { killAtWrite } from './kill-at-write.ts';

interface ClusterCommand {
  readonly name: string;
  readonly version?: string;
  readonly words: (folder: string) => readonly string[];
  /** What the command finds, beside a fresh bundle whose root key lies in `root.key`. */
  readonly prepare?: (stage: Stage) => Promise<unknown>;
  /** A Sentry that starts on what it finds makes a new root. */
  readonly isArmed?: true;
  /** On standard output, of a run that came to its end. */
  readonly success: RegExp;
}

const settle = ['-k', '--settle', '0'];
const rotated = /Certificate rotation is successful!/;

const commands: readonly ClusterCommand[] = [
  { name: 'renew-certificate', words: () => ['renew-certificate', ...settle], success: rotated },
  {
    name: 'renew-certificate --private-key',
    words: (folder) => ['renew-certificate', ...settle, '--private-key', join(folder, 'root.key')],
    success: rotated,
  },
  {
    name: 'renew-certificate with own files',
    words: (folder) => [
      ...['renew-certificate', ...settle, '--ca-root-certificate', join(folder, 'own-ca.crt')],
      ...['--issuer-public-certificate', join(folder, 'own-issuer.crt')],
      ...['--issuer-private-key', join(folder, 'own-issuer.key')],
    ],
    success: /Certificate rotation is successful!|Nothing to change/,
  },
  {
    name: 'renew-certificate on Dapr 1.11',
    version: '1.11.6',
    words: () => ['renew-certificate', ...settle],
    success: rotated,
  },
  {
    name: 'backup restore',
    words: () => ['backup', 'restore', '0001', ...settle],
    prepare: (stage) => stage.run(['renew-certificate', ...settle]),
    success: /is in its place|is finished|is there already/,
  },
  {
    name: 'repair --from secret, the ConfigMap missing',
    words: () => ['repair', ...settle, '--from', 'secret'],
    prepare: async (stage) => stage.removeConfigMap(),
    success: /hold one bundle again/,
  },
  {
    name: 'repair --from secret, the ConfigMap another one',
    isArmed: true,
    words: () => ['repair', ...settle, '--from', 'secret'],
    prepare: async (stage) => {
      const other = (await makeBundle({ at: new Date() })).files.anchors.toString('utf8');
      stage.changeConfigMap((map) => ({ ...map, data: { ...map.data, 'ca.crt': other } }));
    },
    success: /hold one bundle again/,
  },
  {
    name: 'repair --from backup, the Secret gone',
    words: () => ['repair', ...settle, '--from', 'backup'],
    prepare: async (stage) => {
      await stage.run(['backup', 'create', ...settle]);
      stage.removeSecret();
    },
    success: /hold one bundle again/,
  },
  {
    name: 'repair --from backup, Secret and ConfigMap gone',
    words: () => ['repair', ...settle, '--from', 'backup'],
    prepare: async (stage) => {
      await stage.run(['backup', 'create', ...settle]);
      stage.removeSecret();
      stage.removeConfigMap();
    },
    success: /hold one bundle again/,
  },
  {
    name: 'repair --from backup on Dapr 1.11, the Secret gone',
    version: '1.11.6',
    words: () => ['repair', ...settle, '--from', 'backup'],
    prepare: async (stage) => {
      await stage.run(['backup', 'create', ...settle]);
      stage.removeSecret();
    },
    success: /hold one bundle again/,
  },
  { name: 'backup create', words: () => ['backup', 'create', ...settle], success: /./ },
  { name: 'config set', words: () => ['config', 'set', 'workloadCertTTL=12h', ...settle], success: /12h/ },
];

let program: Program;

beforeAll(async () => {
  program = copyProgram();
  const own = (await makeBundle({ at: new Date() })).files;
  writeFileSync(join(program.home, 'own-ca.crt'), own.anchors);
  writeFileSync(join(program.home, 'own-issuer.crt'), own.issuerChain);
  writeFileSync(join(program.home, 'own-issuer.key'), own.issuerKey, { mode: 0o600 });
});

const cases = commands.map((command) => [command.name, command] as const);

describe.each(cases)(
  'killed at any write to the API server: %s',
  (name, { version, words, prepare, isArmed, success }) => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openStage(program, version);
    });
    afterAll(() => stage.stop());

    const lay = async () => {
      const { rootKey } = await stage.reset();
      writeFileSync(join(program.home, 'root.key'), encodePrivateKey(rootKey), { mode: 0o600 });
      await prepare?.(stage);
    };
    const line = () => words(program.home);

    test('no Sentry makes a new root, and the next run finishes it', async () => {
      await lay();
      const begun = stage.server.requests.length;
      const rehearsal = await stage.run(line());
      expect(rehearsal).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(success) });
      const writes = stage.server.requests.slice(begun).filter(isWrite).map(describeWrite);
      expect(writes.length).toBeGreaterThan(0);

      const sights = new Map<string, number>();
      for (let fatal = 1; fatal <= writes.length; fatal++) {
        for (const isDone of [false, true]) {
          await lay();
          const before = JSON.stringify([stage.files(), stage.configMap()?.data]);
          const where = await kill(stage, line(), fatal, isDone);

          const isUntouched = JSON.stringify([stage.files(), stage.configMap()?.data]) === before;
          // A difference that was there before the run is not its work.
          const start = isUntouched && isArmed ? 'as it was found' : (await stage.sentry()).kind;
          expect(start, where).not.toBe('generates');
          sights.set(start, (sights.get(start) ?? 0) + 1);

          const next = await stage.run(line());
          expect(next, `${where}\n${next.stderr}`).toMatchObject({
            exitCode: 0,
            stdout: expect.stringMatching(success),
          });
          expect(next.stdout + next.stderr).not.toContain('PRIVATE KEY');
          stage.expectWhole();
        }
      }
      console.info(
        `${name}: killed at ${writes.length} writes, twice each (${writes.join(', ')}); a Sentry then: ${JSON.stringify(Object.fromEntries(sights))}`,
      );
    });
  },
);

test('killed at any write, a renewal never loses the key of the root in use', async () => {
  const stage = await openStage(program);
  const keyFile = join(program.home, 'kept.key');
  const line = ['renew-certificate', ...settle, '--save-root-key', keyFile, '--insecure-plaintext-key'];
  const lay = async () => {
    rmSync(keyFile, { force: true });
    await stage.reset();
  };
  const expectKeyKept = (where: string) => {
    const { anchors, issuerChain } = expectParts(stage.files());
    const { root } = assignRoles({
      anchors: readCertificateFile('anchors', anchors),
      issuerChain: readCertificateFile('issuerChain', issuerChain),
    });
    expect(root && belongsTo(readPrivateKey(readFileSync(keyFile), keyFile), root), where).toBe(true);
  };
  try {
    await lay();
    const begun = stage.server.requests.length;
    expect((await stage.run(line)).exitCode).toBe(0);
    expectKeyKept('undisturbed');
    const count = stage.server.requests.slice(begun).filter(isWrite).length;
    expect(count).toBeGreaterThan(0);
    const codes: number[] = [];
    for (let fatal = 1; fatal <= count; fatal++) {
      for (const isDone of [false, true]) {
        await lay();
        const before = JSON.stringify(stage.files());
        const where = await kill(stage, line, fatal, isDone);
        if (JSON.stringify(stage.files()) !== before) expectKeyKept(where);
        const next = await stage.run(line);
        codes.push(next.exitCode);
        if (next.exitCode !== 0) {
          // What lies there may be the only key of the root in use: to remove it is for people to decide.
          expect(next, where).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('exists already') });
          if (JSON.stringify(stage.files()) === before) {
            rmSync(keyFile);
            expect((await stage.run(line)).exitCode, where).toBe(0);
          }
        }
        stage.expectWhole();
        expectKeyKept(where);
      }
    }
    console.info(`--save-root-key: killed at ${count} writes, twice each; the next runs: ${codes.join(', ')}`);
  } finally {
    await stage.stop();
  }
});

/** @returns where it was killed, in words */
async function kill(stage: Stage, line: readonly string[], nth: number, isDone: boolean): Promise<string> {
  const where = await killAtWrite(stage.server, () => stage.start(line), { nth }, isDone);
  if (where === undefined) throw new Error(`there was no write ${nth}`);
  return where;
}
