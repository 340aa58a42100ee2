import { expect, test } from 'vitest';
import { readAim } from '../../src/cli/read-aim.ts';
import { aimAdvice, aimDocument } from '../../src/render/aim-advice.ts';

const prod = { context: 'prod' };

test.each([
  ['between backticks', 'Mend: `dapr-mtls repair -k`.', 'Mend: `dapr-mtls repair -k --context prod`.'],
  [
    'each of several',
    '`dapr-mtls check -k` or `dapr-mtls repair -k --from secret`',
    '`dapr-mtls check -k --context prod` or `dapr-mtls repair -k --context prod --from secret`',
  ],
  ['behind a colon', 'Finish it: dapr-mtls repair -k', 'Finish it: dapr-mtls repair -k --context prod'],
  ['by the other name', '`dapr mtls rnc -k`', '`dapr mtls rnc -k --context prod`'],
  ['of kubectl', '`kubectl get pods -n dapr-system`', '`kubectl --context prod get pods -n dapr-system`'],
  ['over two lines', '`dapr-mtls repair\n  -k`', '`dapr-mtls repair\n  -k --context prod`'],
])('a command is aimed: %s', (_, text, aimed) => {
  expect(aimAdvice(text, prod)).toBe(aimed);
  expect(aimAdvice(aimed, prod)).toBe(aimed);
});

test.each([
  ['a directory', '`dapr-mtls check --dir certs`'],
  ['what names its cluster', '`dapr-mtls expiry -k --context NAME`'],
  ['a flag that only begins so', '`dapr-mtls backup -keep`'],
  ['prose', 'dapr-mtls reads with -k the cluster'],
])('a text stays as it is: %s', (_, text) => {
  expect(aimAdvice(text, prod)).toBe(text);
});

test.each([
  ['`dapr-mtls check`', '`dapr-mtls check --dir certs`'],
  ['`dapr-mtls backup restore`.', '`dapr-mtls backup restore --dir certs`.'],
  ['Finish it: dapr-mtls repair', 'Finish it: dapr-mtls repair --dir certs'],
  ['`dapr-mtls check --dir other`', '`dapr-mtls check --dir other`'],
  ['`dapr-mtls explain "LINE"`', '`dapr-mtls explain "LINE"`'],
  ['`dapr-mtls check -k`', '`dapr-mtls check -k`'],
  ['See how it is written: dapr-mtls check --help', 'See how it is written: dapr-mtls check --help'],
])('in a directory %s becomes %s', (text, aimed) => {
  expect(aimAdvice(text, { dir: 'certs' })).toBe(aimed);
});

test.each([
  ['`dapr-mtls config set enabled=true`', '`dapr-mtls config set --dir certs --config my.yaml enabled=true`'],
  ['`dapr-mtls renew-certificate`', '`dapr-mtls renew-certificate --dir certs --config my.yaml`'],
  ['`dapr-mtls repair`', '`dapr-mtls repair --dir certs`'],
  ['`dapr-mtls rotate plan`', '`dapr-mtls rotate plan --dir certs`'],
  ['`dapr-mtls config set enabled=true -k`', '`dapr-mtls config set enabled=true -k`'],
])('with a Configuration of its own %s becomes %s', (text, aimed) => {
  const aim = readAim(['check', '--dir', 'certs', '--config=my.yaml']);
  expect(aimAdvice(text, aim)).toBe(aimed);
  expect(aimAdvice(aimed, aim)).toBe(aimed);
});

test('beside a directory of the environment the Configuration is named once', () => {
  const aimed = aimAdvice('`dapr-mtls check`', { config: "o'clock.yaml" });
  expect(aimed).toBe("`dapr-mtls check --config 'o'\\''clock.yaml'`");
  expect(aimAdvice(aimed, { config: "o'clock.yaml" })).toBe(aimed);
});

test('nothing was named, nothing is added', () => {
  expect(aimAdvice('`dapr-mtls repair -k`', readAim(['check', '-k']))).toBe('`dapr-mtls repair -k`');
});

test('all that was named is added, quoted for a shell', () => {
  const aim = readAim(['check', '--context=my cluster', '--kubeconfig', '/tmp/$&', '-n', 'dapr']);
  expect(aimAdvice('`dapr-mtls repair -k`', aim)).toBe(
    "`dapr-mtls repair -k --context 'my cluster' --kubeconfig '/tmp/$&' -n dapr`",
  );
});

test('the namespace of applications is left alone', () => {
  expect(aimAdvice('`dapr-mtls restart -k --apps -n shop`', { namespace: 'dapr', context: 'a' })).toBe(
    '`dapr-mtls restart -k --context a --apps -n shop`',
  );
});

test('words behind -- aim at nothing', () => {
  expect(readAim(['explain', '--', '--context', 'prod'])).toEqual({});
});

test('every text of a document is aimed, and nothing else is changed', () => {
  const document = { at: 1, none: null, findings: [{ hint: '`dapr-mtls check -k`', count: 3 }] };
  expect(aimDocument(document, prod)).toEqual({
    at: 1,
    none: null,
    findings: [{ hint: '`dapr-mtls check -k --context prod`', count: 3 }],
  });
});
