import { createHash, X509Certificate } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CheckReport } from '../../src/app/check/check.ts';
import type { ExpiryReport } from '../../src/app/expiry.ts';
import type { InspectReport } from '../../src/app/inspect.ts';
import type { RenewalReport } from '../../src/app/renew/report.ts';
import { readPem } from '../../src/pki/pem.ts';
import { bundleParts, certificatesSeenByGo, type FoundFiles } from '../../src/pki/reading.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { bundleNames, makeBundle } from '../support/bundles.ts';
import { type Damage, damagesOf, layBundle } from '../support/damages.ts';
import { snapshot, temporaryDirectory } from '../support/directory.ts';
import { copyProgram, type Outcome } from '../support/program.ts';
import { Resident } from '../support/resident.ts';
import { schemaViolations } from '../support/schema.ts';

const now = new Date();
/** What takes longer hangs: a busy machine is slow. */
const limitMs = 60_000;

const commands = {
  expiry: (directory: string) => ['expiry', '--dir', directory],
  check: (directory: string) => ['check', '--dir', directory],
  inspect: (directory: string) => ['inspect', directory],
  renewal: (directory: string) => ['renew-certificate', '--dir', directory, '--dry-run'],
};
type Command = keyof typeof commands;
const commandNames = Object.keys(commands) as Command[];

/** Every third damage is met by a process of its own, too, as a start costs more than all that it does there. */
const spawnedEvery = 3;

/** In turn, the quick ones more often. */
const spawnedCommands: readonly Command[] = [
  'expiry',
  'check',
  'expiry',
  'inspect',
  'expiry',
  'check',
  'expiry',
  'renewal',
];

interface Trial {
  readonly name: string;
  readonly files: FoundFiles;
  /** In a process that stays: every command in JSON, and some as people read them. */
  readonly json: Readonly<Record<Command, Outcome>>;
  readonly text: Readonly<Partial<Record<Command, Outcome>>>;
  /** One of the four in a process of its own. */
  readonly spawned: { readonly command: Command; readonly outcome: Outcome } | undefined;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
}

const { files } = await makeBundle({ at: now });
const control: Damage = { name: 'no damage', lay: (directory) => layBundle(directory, files) };
const program = copyProgram();
const trials = await tryAll([control, ...damagesOf(files, now)]);

test('more than two hundred damages were tried', () => {
  expect(trials.length).toBeGreaterThan(200);
});

test('the undamaged control is found sound by every command', () => {
  const [{ json, spawned } = fail()] = trials;
  expect(commandNames.map((command) => json[command].exitCode)).toEqual([0, 0, 0, 0]);
  expect(documentOf<CheckReport>(json.check).findings).toEqual([]);
  expect(documentOf<RenewalReport>(json.renewal).procedure).toBe('bridge');
  expect(spawned?.outcome.exitCode).toBe(0);
});

test('each of the commands met damages in a process of its own', () => {
  const spawned = trials.flatMap((trial) => trial.spawned ?? []);
  expect(spawned.length).toBeGreaterThan(80);
  for (const command of commandNames)
    expect(spawned.filter((one) => one.command === command).length, command).toBeGreaterThan(5);
});

describe.each(trials)('$name', ({ files: found, json, text, spawned, before, after }) => {
  const outcomes = [...Object.values(json), ...(spawned ? [spawned.outcome] : [])];

  test('each command ends with a verdict', () => {
    for (const command of commandNames) {
      expect([0, 4, 5, 10], command).toContain(json[command].exitCode);
      expect(text[command]?.exitCode ?? json[command].exitCode, command).toBe(json[command].exitCode);
    }
    if (spawned) expect(spawned.outcome.exitCode).toBe(json[spawned.command].exitCode);
  });

  test('standard output is one JSON document, of kind Error where it failed', () => {
    for (const outcome of outcomes) {
      const document = documentOf<{ kind: string; exitCode?: number }>(outcome);
      expect(schemaViolations(document)).toEqual([]);
      const failed = outcome.exitCode === 4 || outcome.exitCode === 5;
      expect(document.kind === 'Error').toBe(failed);
      if (failed) expect(document.exitCode).toBe(outcome.exitCode);
    }
  });

  test('no stack trace, no key and no control character leaves the program', () => {
    for (const { stdout, stderr } of [...outcomes, ...Object.values(text)]) {
      expect(stderr).not.toMatch(/\n\s+at |node:internal|\.cjs:\d|\[?ERR_[A-Z]|OpenSSL|asn1/);
      for (const secret of secretsIn(found)) expect(stdout.includes(secret) || stderr.includes(secret)).toBe(false);
      expect(stderr).not.toMatch(unprintable);
    }
    for (const { stdout } of Object.values(text)) expect(stdout).not.toMatch(unprintable);
  });

  test('nothing was written', () => {
    expect(after).toEqual(before);
  });

  test('what is reported as well is well', () => {
    const refusal = isWhole(found) ? whySentryRefuses(found, now) : 'a file is missing';
    if (json.check.exitCode === 0) expect(refusal).toBeUndefined();
    if (json.expiry.exitCode === 0) expectRightExpiry(documentOf<ExpiryReport>(json.expiry), found);
    if (json.inspect.exitCode === 0) expectRightInspection(documentOf<InspectReport>(json.inspect), found);
    if (json.renewal.exitCode === 0 && refusal !== undefined)
      expect(documentOf<RenewalReport>(json.renewal).procedure).toBe('replace');
  });
});

// What moves the cursor, turns a line around or breaks it; line feeds are the program's own.
const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Two at a time, as the machines of the tests have two processors. */
async function tryAll(damages: readonly Damage[]): Promise<Trial[]> {
  const parent = temporaryDirectory('damaged');
  const done: Trial[] = [];
  const waiting = damages.map((damage, place) => ({ damage, place }));
  const work = async () => {
    const resident = await Resident.start(program.home, limitMs);
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      done[next.place] = await tryOne(next.damage, next.place, parent, resident);
    }
    resident.stop();
  };
  await Promise.all([work(), work()]);
  return done;
}

async function tryOne({ name, lay }: Damage, place: number, parent: string, resident: Resident): Promise<Trial> {
  const folder = join(parent, String(place));
  const directory = join(folder, 'certs');
  mkdirSync(folder);
  lay(directory);
  const before = snapshot(folder);
  const found = readFiles(directory);
  const spawning = place % spawnedEvery === 0 ? spawn(directory, place / spawnedEvery) : undefined;
  const runAll = async (format: string, chosen: readonly Command[]) => {
    const outcomes: [Command, Outcome][] = [];
    for (const command of chosen)
      outcomes.push([command, await resident.run([...commands[command](directory), '--format', format])]);
    return Object.fromEntries(outcomes) as Partial<Record<Command, Outcome>>;
  };
  const trial = {
    name,
    files: found,
    json: (await runAll('json', commandNames)) as Trial['json'],
    text: await runAll('text', chooseForText(name, place)),
    spawned: await spawning,
    before,
    after: snapshot(folder),
  };
  rmSync(folder, { recursive: true });
  return trial;
}

async function spawn(directory: string, turn: number): Promise<NonNullable<Trial['spawned']>> {
  const command = spawnedCommands[turn % spawnedCommands.length] ?? 'check';
  return { command, outcome: await program.run([...commands[command](directory), '--format', 'json']) };
}

/** Strange names are shown by all of them. */
function chooseForText(name: string, place: number): readonly Command[] {
  return name.startsWith('names with') ? commandNames : commandNames.slice(place % commandNames.length).slice(0, 1);
}

function readFiles(directory: string): FoundFiles {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat?.isFile()) return { anchors: readFileSync(directory), issuerChain: undefined, issuerKey: undefined };
  const read = (name: string) => {
    try {
      return lstatSync(join(directory, name)).isFile() ? readFileSync(join(directory, name)) : undefined;
    } catch {
      return undefined;
    }
  };
  const [anchors, issuerChain, issuerKey] = bundleParts.map((part) => read(bundleNames[part]));
  return { anchors, issuerChain, issuerKey };
}

function isWhole(found: FoundFiles): found is { [Part in keyof FoundFiles]: Buffer } {
  return bundleParts.every((part) => found[part] !== undefined);
}

function documentOf<Report>({ stdout }: Outcome): Report {
  return JSON.parse(stdout) as Report;
}

/** The lines of every private key that lies there, and of the one that lay there before. */
function secretsIn(found: FoundFiles): string[] {
  const texts = [files.issuerKey, ...bundleParts.map((part) => found[part])].map(
    (content) => content?.toString('latin1') ?? '',
  );
  const bodies = texts.flatMap((text) => [...text.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]*)/g)]);
  return bodies.flatMap(([, body = '']) =>
    body
      .split('\n')
      .filter((line) => line.length >= 40)
      .map((line) => line.slice(0, 60)),
  );
}

function expectRightExpiry({ root, issuer }: ExpiryReport, found: FoundFiles): void {
  const anchors = certificatesIn(found.anchors);
  const chain = certificatesIn(found.issuerChain);
  expect(issuer?.fingerprint).toBe(fingerprintOf(chain[0]));
  const holder = anchors.find((anchor) => fingerprintOf(anchor) === root.fingerprint);
  expect(holder && chain.some((link) => link.verify(holder.publicKey))).toBe(true);
  expect(new Date(root.notAfter)).toEqual(new Date(holder?.validTo ?? ''));
  expect(new Date(issuer?.notAfter ?? '')).toEqual(new Date(chain[0]?.validTo ?? ''));
}

function expectRightInspection({ certificates }: InspectReport, found: FoundFiles): void {
  const blocks = bundleParts.flatMap((part) => readPem(found[part] ?? Buffer.alloc(0)).blocks);
  const known = new Set(blocks.map(({ der }) => createHash('sha256').update(der).digest('hex')));
  expect(certificates.filter(({ fingerprint }) => !known.has(fingerprint))).toEqual([]);
}

/** As Go reads them, by node:crypto. */
function certificatesIn(content: Buffer | undefined): X509Certificate[] {
  return certificatesSeenByGo(content ?? Buffer.alloc(0)).flatMap(({ der }) => {
    try {
      return new X509Certificate(der);
    } catch {
      return [];
    }
  });
}

function fingerprintOf(certificate: X509Certificate | undefined): string {
  return certificate?.fingerprint256.replaceAll(':', '').toLowerCase() ?? 'none';
}

function fail(): never {
  throw new Error('nothing was tried');
}
