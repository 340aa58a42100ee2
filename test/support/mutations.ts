import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodePem } from '../../src/pki/pem.ts';
import type { BundlePart } from '../../src/pki/reading.ts';
import { foreignBundles, readForeignBundle } from './fixtures.ts';
import { basicConstraints, commonName, type Forgery, forgeRoot, keyUsage } from './forged-certificate.ts';

/** One thing that happens to a bundle: to one of its files, at a place that `where` picks. */
interface Mutation {
  readonly name: string;
  readonly part: BundlePart;
  readonly where: number;
}

export interface MutatedBundle {
  readonly files: BundleFiles;
  /** How it came about, for the message of a test that fails. */
  readonly story: string;
}

type Change = (text: string, where: number) => string;

/** Damage to the text of any PEM file. */
const textChanges: Record<string, Change> = {
  'cut short': (text, where) => text.slice(0, where % text.length),
  'its beginning lost': (text, where) => text.slice(where % text.length),
  'a byte order mark': (text) => `\xef\xbb\xbf${text}`,
  'UTF-16': (text) => Buffer.from(`\ufeff${text}`, 'utf16le').toString('latin1'),
  'CRLF line ends': (text) => text.replaceAll('\n', '\r\n'),
  'CR line ends': (text) => text.replaceAll('\n', '\r'),
  'a NUL byte': (text, where) => insert(text, where, '\0'),
  'NUL bytes at the end': (text) => `${text}\0\0\0`,
  'no line break at the end': (text) => text.trimEnd(),
  'a foreign block in front': (text, where) => pick(foreignBlocks, where) + text,
  'a foreign block behind': (text, where) => text + pick(foreignBlocks, where),
  'a foreign block in a block': (text, where) => atLine(text, where, (line) => `${pick(foreignBlocks, where)}${line}`),
  'twice the same': (text) => text + text,
  'twice the same, joined': (text) => text.trimEnd() + text,
  'text in front': (text) => `subject=CN = cluster.local\n${text}`,
  'text behind': (text) => `${text}# the end\n`,
  'text between lines': (text, where) => atLine(text, where, (line) => `see here\n${line}`),
  'an END line in front': (text) => `-----END CERTIFICATE-----\n${text}`,
  'a BEGIN line in front': (text) => `-----BEGIN CERTIFICATE-----\n${text}`,
  'a BEGIN line behind': (text) => `${text}-----BEGIN CERTIFICATE-----\n`,
  'a blank line': (text, where) => atLine(text, where, (line) => `\n${line}`),
  'blank lines everywhere': (text) => text.replaceAll('\n', '\n\n'),
  'a line lost': (text, where) => atLine(text, where, () => '', ''),
  'a line twice': (text, where) => atLine(text, where, (line) => `${line}\n${line}`),
  'a line indented': (text, where) => atLine(text, where, (line) => `  ${line}`),
  'all lines indented': (text) => text.replace(/^/gm, '    '),
  'spaces behind the lines': (text) => text.replaceAll('\n', ' \t\n'),
  'words behind a line': (text, where) => atLine(text, where, (line) => `${line} and more`),
  'a character lost': (text, where) => text.slice(0, where % text.length) + text.slice((where % text.length) + 1),
  'a character that is not base64': (text, where) => insert(text, where, '%'),
  'another character': (text, where) => insert(text, where, 'A'),
  'an equals sign': (text, where) => insert(text, where, '='),
  'a dash less': (text, where) =>
    text.replace(pick(['-----BEGIN', '-----END', '-----\n'], where), (found) => found.replace('-', '')),
  'a dash more': (text, where) =>
    text.replace(pick(['-----BEGIN', '-----END', '-----\n'], where), (found) => `-${found}`),
  'a label in lower case': (text) => text.replace('BEGIN CERTIFICATE', 'BEGIN certificate'),
  'labels in lower case': (text) => text.replaceAll('CERTIFICATE', 'certificate').replaceAll('PRIVATE', 'private'),
  'labels of another kind': (text) =>
    text.replaceAll('CERTIFICATE', 'X509 CERTIFICATE').replaceAll(' PRIVATE', ' EC PRIVATE'),
  'two labels that differ': (text) => text.replace('END CERTIFICATE', 'END X509 CERTIFICATE'),
  'a space in a label': (text) => text.replace('CERTIFICATE-----', 'CERTIFICATE -----'),
  headers: (text) => text.replace('-----\n', '-----\nProc-Type: 4,CLEAR\nX-Note: none\n\n'),
  'headers without a blank line': (text) => text.replace('-----\n', '-----\nX-Note: none\n'),
  'a header at the end': (text, where) => atLine(text, where, (line) => `X: y\n${line}`),
  'everything on one line': (text) => text.replaceAll('\n', ''),
  'its base64 on one line': (text) => text.replace(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/])/g, ''),
  empty: () => '',
  'a line break alone': () => '\n',
  'JSON instead': () => '{"ca.crt": ""}',
};

/** Damage inside one block: its DER is changed and encoded anew. */
const derChanges: Record<string, (der: Buffer, where: number) => Buffer> = {
  'a bit flipped': flipBit,
  'another bit flipped': (der, where) => flipBit(der, where * 31 + 7),
  'the first bits flipped': (der, where) => flipBit(der, where % 128),
  'a byte lost': (der, where) =>
    Buffer.concat([der.subarray(0, where % der.length), der.subarray((where % der.length) + 1)]),
  'a byte more at the end': (der) => Buffer.concat([der, Buffer.from([0])]),
  'bytes lost at the end': (der, where) => der.subarray(0, der.length - 1 - (where % 16)),
  'twice in one block': (der) => Buffer.concat([der, der]),
  'a length that is not minimal': (der) =>
    der[1] === 0x82 ? Buffer.concat([Buffer.from([der[0] ?? 0, 0x83, 0]), der.subarray(2)]) : der,
  'an indefinite length': (der) =>
    der[1] === 0x82 ? Buffer.concat([Buffer.from([der[0] ?? 0, 0x80]), der.subarray(4), Buffer.alloc(2)]) : der,
  'another kind of element': (der) => Buffer.concat([Buffer.from([0x31]), der.subarray(1)]),
  'nothing in it': () => Buffer.alloc(0),
};

/** What happens between files, and to certificates and keys as a whole. */
const bundleChanges: Record<string, (files: BundleFiles, where: number) => Partial<BundleFiles>> = {
  'anchors and issuer swapped': ({ anchors, issuerChain }) => ({ anchors: issuerChain, issuerChain: anchors }),
  'issuer and key swapped': ({ issuerChain, issuerKey }) => ({ issuerChain: issuerKey, issuerKey: issuerChain }),
  'the key among the anchors': ({ anchors, issuerKey }) => ({ anchors: Buffer.concat([anchors, issuerKey]) }),
  'the key in front of the issuer': ({ issuerChain, issuerKey }) => ({
    issuerChain: Buffer.concat([issuerKey, issuerChain]),
  }),
  'the issuer behind its key': ({ issuerChain, issuerKey }) => ({ issuerKey: Buffer.concat([issuerKey, issuerChain]) }),
  'the issuer in front of its key': ({ issuerChain, issuerKey }) => ({
    issuerKey: Buffer.concat([issuerChain, issuerKey]),
  }),
  'the root behind the issuer': ({ anchors, issuerChain }) => ({ issuerChain: Buffer.concat([issuerChain, anchors]) }),
  'the root in front of the issuer': ({ anchors, issuerChain }) => ({
    issuerChain: Buffer.concat([anchors, issuerChain]),
  }),
  'the root as the issuer': ({ anchors }) => ({ issuerChain: anchors }),
  'the issuer among the anchors': ({ anchors, issuerChain }) => ({ anchors: Buffer.concat([anchors, issuerChain]) }),
  'certificates in reverse': ({ issuerChain }) => ({
    issuerChain: Buffer.from(blocksOf(issuerChain.toString('latin1')).reverse().join('')),
  }),
  "another bundle's anchors behind": ({ anchors }, where) => ({
    anchors: Buffer.concat([anchors, otherBundle(where).anchors]),
  }),
  "another bundle's anchors in front": ({ anchors }, where) => ({
    anchors: Buffer.concat([otherBundle(where).anchors, anchors]),
  }),
  "another bundle's anchors instead": (_, where) => ({ anchors: otherBundle(where).anchors }),
  "another bundle's issuer": (_, where) => ({ issuerChain: otherBundle(where).issuerChain }),
  "another bundle's issuer behind": ({ issuerChain }, where) => ({
    issuerChain: Buffer.concat([issuerChain, otherBundle(where).issuerChain]),
  }),
  "another bundle's key": (_, where) => ({ issuerKey: otherBundle(where).issuerKey }),
  "another bundle's key behind": ({ issuerKey }, where) => ({
    issuerKey: Buffer.concat([issuerKey, otherBundle(where).issuerKey]),
  }),
  'an odd anchor in front': ({ anchors }, where) => ({
    anchors: Buffer.concat([Buffer.from(pick(oddAnchors, where)), anchors]),
  }),
  'an odd anchor behind': ({ anchors }, where) => ({
    anchors: Buffer.concat([anchors, Buffer.from(pick(oddAnchors, where))]),
  }),
  'the key in another form': ({ issuerKey }, where) => ({ issuerKey: reencodeKey(issuerKey, where) }),
  'a key of a strange kind': (_, where) => ({ issuerKey: Buffer.from(pick(strangeKeys, where)) }),
};

const foreignBlocks = [
  '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n',
  '-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n',
  '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
  '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
  '-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n',
  '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n',
  '-----BEGIN -----\n-----END -----\n',
  '-----BEGIN A:B-----\nMAA=\n-----END A:B-----\n',
];

const otherKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

/** Anchors that are not quite ones, and two that are. */
const oddAnchors = [
  {},
  { extensions: [basicConstraints(true)] },
  { extensions: [basicConstraints(true), keyUsage('digitalSignature')] },
  { extensions: [basicConstraints(false), keyUsage('keyCertSign')] },
  { extensions: [] },
  { version: 1, extensions: [] },
  { signer: otherKey },
  { notAfter: new Date('2026-01-01T00:00:00Z') },
  { notBefore: new Date('2040-01-01T00:00:00Z') },
  { subject: commonName('A_B', 'printable'), issuer: commonName('A_B', 'printable') },
  { subject: commonName('\u00ff', 'ia5'), issuer: commonName('\u00ff', 'ia5') },
  { serial: Buffer.from([0xff]) },
].map((oddity: Partial<Forgery>) => encodePem('CERTIFICATE', forgeRoot(oddity)));

const strangeKeys = [
  generateKeyPairSync('x25519').privateKey,
  generateKeyPairSync('ed448').privateKey,
  generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
  generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey,
  generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey,
  generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).privateKey,
].map((key) => key.export({ type: 'pkcs8', format: 'pem' }).toString());

/** Keys as other programs write them: SEC1 or PKCS#1, encrypted, and under the wrong label. */
function reencodeKey(bytes: Buffer, where: number): Buffer {
  let key: KeyObject;
  try {
    key = createPrivateKey(bytes);
  } catch {
    return bytes;
  }
  const { asymmetricKeyType } = key;
  const traditional = asymmetricKeyType === 'ec' ? 'sec1' : asymmetricKeyType === 'rsa' ? 'pkcs1' : 'pkcs8';
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const old = key.export({ type: traditional, format: 'der' });
  const forms = [
    encodePem('PRIVATE KEY', pkcs8),
    encodePem('EC PRIVATE KEY', pkcs8),
    encodePem('RSA PRIVATE KEY', pkcs8),
    encodePem('PRIVATE KEY', old),
    encodePem('EC PRIVATE KEY', old),
    encodePem('RSA PRIVATE KEY', old),
    encodePem('ED25519 PRIVATE KEY', pkcs8),
    foreignBlocks[0] + encodePem('EC PRIVATE KEY', old),
    key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }).toString(),
    traditional === 'pkcs8'
      ? ''
      : key.export({ type: traditional, format: 'pem', cipher: 'aes-128-cbc', passphrase: 'secret' }).toString(),
  ];
  return Buffer.from(pick(forms, where));
}

function flipBit(der: Buffer, where: number): Buffer {
  const flipped = Buffer.from(der);
  const place = Math.floor(where / 8) % der.length;
  flipped.writeUInt8(flipped.readUInt8(place) ^ (1 << (where & 7)), place);
  return flipped;
}

function insert(text: string, where: number, what: string): string {
  const place = where % (text.length + 1);
  return text.slice(0, place) + what + text.slice(place);
}

function atLine(text: string, where: number, change: (line: string) => string, end = '\n'): string {
  const lines = text.split('\n');
  const place = where % Math.max(1, lines.length - 1);
  return lines
    .map((line, index) => (index === place ? change(line) + end : `${line}\n`))
    .join('')
    .slice(0, -1);
}

function pick<Item>(items: readonly Item[], where: number): Item {
  const item = items[where % items.length];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

function blocksOf(text: string): string[] {
  return text.match(/-----BEGIN [^-]*-----[^-]*-----END [^-]*-----\n?/g) ?? [];
}

const bundles: readonly BundleFiles[] = foreignBundles.map(readForeignBundle);

function otherBundle(where: number): BundleFiles {
  return pick(bundles, where);
}

function mutate(files: BundleFiles, { name, part, where }: Mutation): BundleFiles {
  const text = files[part].toString('latin1');
  const [changeText, changeDer, changeBundle] = [textChanges[name], derChanges[name], bundleChanges[name]];
  if (changeText) return { ...files, [part]: Buffer.from(text === '' ? text : changeText(text, where), 'latin1') };
  if (changeDer) return { ...files, [part]: Buffer.from(inOneBlock(text, where, changeDer), 'latin1') };
  return { ...files, ...changeBundle?.(files, where) };
}

function inOneBlock(text: string, where: number, change: (der: Buffer, where: number) => Buffer): string {
  const block = /-----BEGIN ([^-]*)-----\n([A-Za-z0-9+/=\s]*)-----END/.exec(text);
  const [, label = '', base64 = ''] = block ?? [];
  const der = Buffer.from(base64, 'base64');
  if (!block || der.length === 0) return text;
  const changed = encodePem(label, change(der, where));
  return text.slice(0, block.index) + changed + text.slice(block.index + block[0].length).replace(/^[^\n]*\n/, '');
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  name: fc.constantFrom(
    ...Object.keys(textChanges),
    ...Object.keys(derChanges),
    ...Object.keys(derChanges),
    ...Object.keys(bundleChanges),
  ),
  part: fc.constantFrom('anchors' as const, 'issuerChain' as const, 'issuerKey' as const),
  where: fc.nat(100_000),
});

/** One or two mutations of a bundle; the first is mostly alone, so that it is seen for itself. */
export function mutatedBundles(sound: Readonly<Record<string, BundleFiles>>): fc.Arbitrary<MutatedBundle> {
  return fc
    .record({
      origin: fc.constantFrom(...Object.keys(sound)),
      first: mutation,
      second: fc.option(mutation, { freq: 2 }),
    })
    .map(({ origin, first, second }) => {
      const mutations = second ? [first, second] : [first];
      const files = sound[origin];
      if (!files) throw new Error(`no bundle ${origin}`);
      const story = mutations.map(({ name, part, where }) => `${name} (${part}, ${where})`).join(', then ');
      return { files: mutations.reduce(mutate, files), story: `${origin}: ${story}` };
    });
}
