import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseYaml, replaceProviderSettings } from '../../src/kube/kubeconfig/parse-yaml.ts';
import { readPlainYaml } from '../../src/kube/kubeconfig/plain-yaml.ts';

const written = `# written by hand
apiVersion: v1
kind: Config
preferences: {}
current-context: "one"
clusters:
- name: c
  cluster:
    server: https://10.0.0.1:6443/k8s/clusters/c-1
    certificate-authority-data: LS0tLS1CRUdJTg==

users:
  - name: 'red user'
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        args:
        - --region
        - eu-central-1
        env:
        command: aws
        installHint: Install it, then log in
        provideClusterInfo: false
contexts: []
`;

test('a kubeconfig as people and programs write it is plain', () => {
  expect(readPlainYaml(written)).toEqual(parse(written));
});

test.each([
  ['a negative number', 'a: -1'],
  ['dashes', 'a: ---'],
  ['a number', 'a: 1'],
  ['an address that could be one', 'a: 10.0.0.1'],
  ['octal digits', 'a: 0o17'],
  ['a time', 'a: 12:30'],
  ['a word for a boolean', 'a: yes'],
  ['null', 'a: null'],
  ['an anchor', 'a: &x b'],
  ['an alias', 'a: *x'],
  ['a tag', 'a: !!str 1'],
  ['a flow mapping', 'a: {b: c}'],
  ['a block scalar', 'a: |\n  b'],
  ['a scalar over two lines', 'a: b\n  c'],
  ['a quoted scalar over two lines', 'a: "b\n  c"'],
  ['an escape', 'a: "b\\n"'],
  ['a quote in quotes', "a: 'it''s'"],
  ['a comment behind a value', 'a: b # c'],
  ['a comment behind quotes', 'a: "b" # c'],
  ['a mapping within a value', 'a: b: c'],
  ['a value that ends in a colon', 'a: b:'],
  ['a key twice', 'a: b\na: c'],
  ['a tab', 'a:\tb'],
  ['carriage returns', 'a: b\r\n'],
  ['a document marker', '---\na: b'],
  ['a second document', 'a: b\n---\nc: d'],
  ['a directive', '%YAML 1.2\n---\na: b'],
  ['a merge key', '<<: b'],
  ['a quoted key', '"a": b'],
  ['a complex key', '? a\n: b'],
  ['a dash alone', 'a:\n-\n  b: c'],
  ['a list within a list', 'a:\n- - b'],
  ['lines at no common depth', 'a:\n    b: c\n  d: e'],
  ['a first line that is indented', '  a: b'],
  ['a letter that is not ASCII', 'a: ä'],
  ['a scalar alone', 'a'],
  ['nothing', ''],
])('%s is left to the library', (_, text) => {
  expect(readPlainYaml(text)).toBeUndefined();
});

const scalar = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom(
    'true',
    'null',
    '1e3',
    '0x1f',
    '.inf',
    '-',
    '- a',
    'a: b',
    'a #b',
    '~',
    '{}',
    '[]',
    "'",
    '"',
    '=',
    '1_000',
    '2001-01-01',
    '',
  ),
  fc.boolean(),
  fc.integer(),
  fc.constant(null),
);
const { document } = fc.letrec((tie) => ({
  document: fc.dictionary(
    fc.stringMatching(/^[A-Za-z][A-Za-z.-]{0,8}$/),
    fc.oneof({ maxDepth: 4 }, scalar, tie('document'), fc.array(fc.oneof(scalar, tie('document')), { maxLength: 3 })),
    { minKeys: 1, maxKeys: 4 },
  ),
}));

test('what it reads is what the library reads', () => {
  let plain = 0;
  fc.assert(
    fc.property(document, fc.constantFrom(0, 2, 4), fc.boolean(), (value, indent, indentSeq) => {
      const text = stringify(value, { indent: indent || 2, indentSeq, lineWidth: indent === 0 ? 20 : 0 });
      const read = readPlainYaml(text);
      if (read === undefined) return;
      plain++;
      expect(read).toEqual(parse(text));
    }),
    { numRuns: 2_000 },
  );
  expect(plain).toBeGreaterThan(100);
});

test('what it reads of a text that was tampered with is what the library reads', () => {
  let plain = 0;
  const piece = fc.constantFrom(' ', '\n', ':', '-', '- ', '#', '"', "'", '{', ']', '1', 'a', ': ', '\n  ', '\n- ');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(written.length), piece, fc.nat(3)), { maxLength: 4 }), (edits) => {
      const text = edits.reduce((now, [at, insert, cut]) => now.slice(0, at) + insert + now.slice(at + cut), written);
      const read = readPlainYaml(text);
      if (read === undefined) return;
      plain++;
      expect(read).toEqual(parse(text));
    }),
    { numRuns: 5_000 },
  );
  expect(plain).toBeGreaterThan(500);
});

test('a mistake is told by line, and nothing of the text is', () => {
  expect(() => parseYaml('users:\n- name: a\n  token: "secret\n')).toThrow(/^line \d+, column \d+: [A-Z_]+$/);
});

test('new tokens are set, and all else stays as it was', () => {
  const text = `# mine
users:
- name: other # not this one
  user: {token: x}
- name: me
  user:
    auth-provider:
      name: oidc
      config:
        id-token: old # comment
        client-id: app
`;
  const changed = replaceProviderSettings(text, 'me', { 'id-token': 'new', 'refresh-token': 'next' });
  expect(parse(changed).users[1].user['auth-provider'].config).toEqual({
    'id-token': 'new',
    'client-id': 'app',
    'refresh-token': 'next',
  });
  expect(changed).toContain('# mine');
  expect(changed).toContain('- name: other # not this one');
});
