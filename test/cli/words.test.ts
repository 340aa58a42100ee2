import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { run, runAny } from '../support/command-line.ts';
import { fixturePath } from '../support/fixtures.ts';
import { shellCommandOf } from '../support/program-under-test.ts';
import { schemaViolations } from '../support/schema.ts';
import { copyBundle, makeFolder, makeWorkplace } from '../support/workplace.ts';

const parent = makeFolder('words');
let folder: string;

beforeAll(async () => {
  folder = await makeWorkplace(parent, 'place with ü');
  copyBundle(folder, 'step');
  cpSync(fixturePath('pki/openssl-docs/root.key'), join(folder, 'other-root.key'));
  writeFileSync(join(folder, 'broken.key'), 'no key at all\n');
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'file'), 'a file\n');
});

const inPlace = (words: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(words, { cwd: folder, env: { HOME: folder, ...env } });

describe('words and exit codes', () => {
  test.each<[string, string[], number, RegExp]>([
    ['no store to change', ['renew-certificate'], 2, /required flag\(s\) "kubernetes" not set.*--dir/s],
    ['no store to change, said aloud', ['repair', '-k=false'], 2, /required flag\(s\) "kubernetes" not set.*--dir/s],
    ['no store to read: the cluster', ['expiry'], 3, /there is no way into a cluster.*--dir DIR/s],
    ['a cluster, as pflag writes it', ['expiry', '--kubernetes=true'], 3, /there is no way into a cluster/],
    ['two stores', ['expiry', '-k', '--dir', 'certs'], 2, /--dir names a directory, and another flag a cluster/],
    ['a directory where only a cluster will do', ['audit', '--dir', 'certs'], 2, /unknown flag: --dir/],
    ['a cluster where only a directory will do', ['env', '-k'], 2, /unknown flag: -k/],
    ['a boolean that is none', ['expiry', '--kubernetes=maybe'], 2, /neither true nor false/],
    ['an unknown flag', ['expiry', '--dri', 'certs'], 2, /unknown flag: --dri/],
    ['an unknown command', ['expire'], 2, /"mtls expire" is not a command/],
    ['a bad choice', ['expiry', '--dir', 'certs', '--format', 'xml'], 2, /text, json, yaml/],
    ['a bad instant', ['expiry', '--dir', 'certs', '--at', 'tomorrow'], 2, /not an instant/],
    ['a bad time', ['renew-certificate', '--dir', 'certs', '--valid-until', '0'], 2, /not a length of time/],
    [
      '--at where something is written',
      ['renew-certificate', '--dir', 'certs', '--at', '2026-12-01'],
      2,
      /unknown flag: --at/,
    ],
    ['no bundle', ['expiry', '--dir', 'empty'], 5, /there is no ca\.crt in/],
    ['no directory', ['check', '--dir', 'nowhere'], 5, /there is no bundle in/],
    ['a file for a directory', ['expiry', '--dir', 'file'], 5, /there is no ca\.crt|not a directory/],
    [
      'one of three own files',
      ['renew-certificate', '--dir', 'certs', '--ca-root-certificate', 'ca.crt'],
      2,
      /all required flags for this certificate rotation path/,
    ],
    [
      'own files and a key',
      [
        'renew-certificate',
        '--dir',
        'certs',
        '--ca-root-certificate',
        'ca.crt',
        '--issuer-public-certificate',
        'issuer.crt',
        '--issuer-private-key',
        'issuer.key',
        '--private-key',
        'root.key',
      ],
      2,
      /exclude each other/,
    ],
    [
      'a missing file',
      ['renew-certificate', '--dir', 'certs', '--private-key', 'gone.key'],
      5,
      /certificate rotation failed: open gone\.key: no such file or directory/,
    ],
    [
      'a bad key',
      ['renew-certificate', '--dir', 'certs', '--private-key', 'broken.key'],
      4,
      /broken\.key holds no private key/,
    ],
    [
      'an encrypted key without its passphrase',
      ['renew-certificate', '--dir', 'certs', '--private-key', 'root.key'],
      4,
      /root\.key is encrypted.*--passphrase-file/s,
    ],
    [
      'a wrong passphrase',
      ['renew-certificate', '--dir', 'certs', '--private-key', 'root.key', '--passphrase-file', 'file'],
      4,
      /wrong passphrase or damaged/,
    ],
    [
      'a key of another certificate',
      [
        'renew-certificate',
        '--dir',
        'certs',
        '--ca-root-certificate',
        'ca.crt',
        '--issuer-public-certificate',
        'issuer.crt',
        '--issuer-private-key',
        'other-root.key',
      ],
      4,
      /is not the key of/,
    ],
    [
      'a root key in clear, unasked',
      ['renew-certificate', '--dir', 'certs', '--save-root-key', 'new.key'],
      2,
      /--insecure-plaintext-key/,
    ],
    [
      'a root key over an old one',
      ['renew-certificate', '--dir', 'certs', '--save-root-key', 'root.key', '--insecure-plaintext-key'],
      5,
      /root\.key exists already/,
    ],
    [
      'a root key where Sentry reads',
      ['renew-certificate', '--dir', 'certs', '--save-root-key', 'certs/root.key', '--insecure-plaintext-key'],
      2,
      /may not lie in/,
    ],
    ['a Configuration where Sentry watches', ['init', '--dir', 'new', '--config', 'new/config.yaml'], 2, /watches/],
    [
      'a bridge that does not hold',
      ['renew-certificate', '--dir', 'step', '--procedure', 'bridge', '--settle', '0'],
      4,
      /no room for a bridge.*path length/s,
    ],
    ['an export onto the store', ['export', '--dir', 'certs', '--out', 'certs'], 2, /is the store itself/],
    [
      'an unknown backup',
      ['backup', 'restore', '2026', '--dir', 'certs'],
      5,
      /there is no backup 2026|there are no backups/,
    ],
    ['an unknown setting', ['config', 'set', 'ttl=1h', '--dir', 'certs'], 2, /"ttl=1h" is not a setting/],
    [
      'a skew that is no less than the lifetime',
      ['config', 'set', 'allowedClockSkew=24h', '--dir', 'certs'],
      2,
      /hot loop/,
    ],
    [
      'an issuer key in JSON',
      ['env', '--dir', 'certs', '--with-issuer-key', '--format', 'yaml'],
      2,
      /would put the issuer key into (YAML|JSON)/,
    ],
    ['a bad trust domain', ['init', '--dir', 'new', '--trust-domain', 'Über'], 2, /is not a trust domain/],
  ])('%s', async (_, words, exitCode, said) => {
    const text = await inPlace(words);
    expect({
      status: text.status,
      stderr: text.stderr,
      stdout: text.stdout,
    }).toEqual({
      status: exitCode,
      stderr: expect.stringMatching(said),
      stdout: words.includes('yaml') ? expect.stringContaining('"kind": "Error"') : '',
    });
    expect(text.stderr).not.toMatch(/^\s+at /m);
    const format = words.indexOf('--format');
    const asJson = await inPlace([...(format < 0 ? words : words.toSpliced(format, 2)), '--format', 'json']);
    if (words[format + 1] === 'xml') return;
    const document = JSON.parse(asJson.stdout) as { kind: string; exitCode: number; hint: string };
    expect(schemaViolations(document)).toEqual([]);
    expect({ kind: document.kind, status: asJson.status }).toEqual({ kind: 'Error', status: exitCode });
    expect(document.hint).not.toBe('');
  });

  test.each([
    ['renew-cert', '--help'],
    ['rnc', '--help'],
    ['help', 'renew-certificate'],
    ['mtls', 'renew-certificate', '-h'],
  ])('%s %s %s shows the page of renew-certificate', async (...words) => {
    const { status, stdout } = await inPlace(words.filter((word) => word !== undefined));
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^Renew the root and issuer certificates[\s\S]*dapr-mtls renew-certificate \[FLAGS\][\s\S]*EXIT CODES[\s\S]*EXAMPLES/,
    );
  });

  test('--version tells name, version and platform', async () => {
    const { status, stdout } = await inPlace(['--version']);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^dapr-mtls \d+\.\d+\.\d+ \(\w+-\w+, node v\d+/),
    });
  });
});

describe('a day with the program', () => {
  test('init, look, renew in three ways, restore: every word that scripts look for', async () => {
    const place = await makeWorkplace(parent, 'day');
    const day = (words: readonly string[]) => run(words, { cwd: place, env: { HOME: place, DAPR_MTLS_SETTLE: '0' } });
    const renewed =
      'Starting certificate rotation\nCertificate rotation is successful! Your new certicate is valid through ';
    const json = async (words: readonly string[]) => JSON.parse((await day([...words, '--format', 'json'])).stdout);

    const again = await day(['init', '--dir', 'certs']);
    expect(again).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^There is a bundle in .*; it was left as it is/),
    });
    expect(again.stdout).toMatch(/sentry --issuer-credentials .* --trust-domain cluster\.local --config .*\n/);
    expect(again.stdout).toMatch(/--control-plane-trust-domain cluster\.local/);
    const first = await json(['expiry', '--dir', 'certs']);

    const preview = await day(['renew-certificate', '--dir', 'certs', '--dry-run']);
    expect(preview.stdout).toMatch(/^Dry run: nothing was written\. Procedure: bridge/);
    expect((await json(['expiry', '--dir', 'certs'])).root.fingerprint).toBe(first.root.fingerprint);

    const bridged = await day([
      'renew-certificate',
      '--dir',
      'certs',
      '--valid-until',
      '30',
      '--save-root-key',
      'new-root.key',
      '--insecure-plaintext-key',
    ]);
    expect(bridged.status, bridged.stderr).toBe(0);
    expect(bridged.stdout).toMatch(new RegExp(`^${renewed}\\w{3}, \\d\\d \\w{3} \\d{4} [\\d:]{8} UTC\\n$`));
    expect(bridged.stderr).toContain('The root key is kept in');
    const second = await json(['expiry', '--dir', 'certs']);
    expect(second.certificates.map(({ role }: { role: string }) => role)).toEqual([
      'root',
      'anchor',
      'issuer',
      'bridge',
      'intermediate',
    ]);
    expect(second.root.fingerprint).not.toBe(first.root.fingerprint);

    const quiet = await day(['renew-certificate', '--dir', 'certs', '--if-expires-within', '20d']);
    expect(quiet.stdout).toMatch(/^Nothing is due/);
    expect((await json(['expiry', '--dir', 'certs'])).root.fingerprint).toBe(second.root.fingerprint);

    const sameKey = await json(['renew-certificate', '--dir', 'certs', '--private-key', 'new-root.key']);
    expect(sameKey).toMatchObject({ outcome: 'renewed', procedure: 'same-key' });
    expect(sameKey.trust.every(({ verifies }: { verifies: boolean }) => verifies)).toBe(true);

    const own = await day([
      'rnc',
      '--dir',
      'certs',
      '--ca-root-certificate',
      'ca.crt',
      '--issuer-public-certificate',
      'issuer.crt',
      '--issuer-private-key',
      'issuer.key',
      '--valid-until',
      '9',
    ]);
    expect(own).toMatchObject({ status: 0, stdout: expect.stringContaining(renewed) });
    expect(own.stderr).toContain('--valid-until is ignored');
    expect(own.stderr).toContain('Restart Sentry and every sidecar now');
    expect(readFileSync(join(place, 'certs', 'ca.crt'))).toEqual(readFileSync(join(place, 'ca.crt')));

    expect((await day(['backup', 'restore', '--dir', 'certs'])).stdout).toMatch(/^The bundle of \S+ is in its place/);
    const restored = await json(['expiry', '--dir', 'certs']);
    expect(restored.root.fingerprint).toBe(
      sameKey.changes.find(({ certificate }: { certificate: { role: string } }) => certificate.role === 'root')
        .certificate.fingerprint,
    );
    // The bridge that is still in it ends within thirty days.
    expect(await day(['check', '--dir', 'certs'])).toMatchObject({
      status: 10,
      stdout: expect.stringMatching(/^! warning anchor\.expires-soon[\s\S]*0 errors, 1 warning\n$/),
    });
    expect((await day(['check', '--dir', 'certs', '--warn-before', '400d'])).status).toBe(10);
    expect((await day(['expiry', '--dir', 'certs', '--at', '2100-01-01', '--fail-on', 'error'])).status).toBe(10);
    expect((await day(['expiry', '--dir', 'certs', '--at', '2100-01-01'])).status).toBe(0);
  }, 120_000);

  test('another root key makes a new root, says so, and is bridged where that holds', async () => {
    const place = await makeWorkplace(parent, 'other key');
    const { status, stderr } = await run(
      ['renew-certificate', '--dir', 'certs', '--private-key', join(folder, 'other-root.key'), '--settle', '0'],
      { cwd: place },
    );
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining("not the running root's: this makes a new root"),
    });
  });
});

describe('output', () => {
  test('text on a pipe has no colour, and FORCE_COLOR brings it', async () => {
    const plain = await inPlace(['check', '--dir', 'certs']);
    expect(plain.stdout).not.toContain('\u001b');
    expect((await inPlace(['check', '--dir', 'certs'], { FORCE_COLOR: '1' })).stdout).toContain('\u001b[');
    expect((await inPlace(['check', '--dir', 'certs'], { FORCE_COLOR: '1', NO_COLOR: '1' })).stdout).not.toContain(
      '\u001b',
    );
  });

  test('--quiet leaves only the result', async () => {
    const { stdout, stderr } = await inPlace(['expiry', '--dir', 'certs', '--quiet']);
    expect(stdout).toMatch(/^Root certificate expires/);
    expect(stderr).toBe('');
  });

  test('a terminal gets the table', async () => {
    const line = `stty cols 80; ${shellCommandOf('dapr-mtls')} expiry --dir '${folder}/certs'`;
    const { stdout } = await runAny('script', ['-qec', line, '/dev/null'], { env: { TERM: 'xterm' } });
    expect(stdout).toMatch(/ROLE\s+STATUS\s+ENDS IN\s+EXPIRY DATE\s+FILE\s+NAME/);
    expect(stdout).toContain('\u001b[32mvalid');
  });

  test('a reader that has had enough is no error', async () => {
    const line = `${shellCommandOf('dapr-mtls')} inspect '${folder}/certs' | head -c 1; echo " \${PIPESTATUS[0]}"`;
    const { stdout } = await runAny('bash', ['-c', line]);
    expect(stdout).toBe('c 0\n');
  });

  test('the environment variable names the store', async () => {
    const { stdout } = await inPlace(['expiry', '--format', 'json'], { DAPR_MTLS_DIR: 'certs' });
    expect(JSON.parse(stdout).store.name).toBe(join(folder, 'certs'));
  });

  test('init goes to the home directory, and says when there is none', async () => {
    const home = join(parent, 'home');
    mkdirSync(home);
    const { status } = await run(['init'], { cwd: folder, env: { HOME: home } });
    expect(status).toBe(0);
    expect((await run(['expiry', '--dir', `${home}/.dapr/certs`])).status).toBe(0);
    const lost = await run(['init'], { cwd: folder, env: { HOME: '/proc/nobody' } });
    expect(lost).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('the home directory /proc/nobody does not exist'),
    });
  });

  test('other file names are taken as the flags of Sentry say', async () => {
    const names = [
      '--issuer-ca-filename',
      'root.pem',
      '--issuer-certificate-filename',
      'sub.pem',
      '--issuer-key-filename',
      'sub.key',
    ];
    expect((await inPlace(['init', '--dir', 'renamed', ...names])).status).toBe(0);
    expect((await inPlace(['renew-certificate', '--dir', 'renamed', '--settle', '0', ...names])).status).toBe(0);
    expect((await inPlace(['check', '--dir', 'renamed', ...names])).status).toBe(0);
    expect((await inPlace(['check', '--dir', 'renamed'])).status).toBe(5);
  });

  test('a key that others may read is a finding, and its mode is kept', async () => {
    const directory = copyBundle(folder, 'sentry-1.18', 'loose');
    chmodSync(join(directory, 'issuer.key'), 0o640);
    expect((await inPlace(['check', '--dir', 'loose'])).stdout).toContain('store.key-readable');
  });
});
