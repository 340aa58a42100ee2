import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodeTlv } from '../../src/pki/der.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { type BundlePart, bundleParts } from '../../src/pki/reading.ts';
import { bundleNames } from './bundles.ts';
import {
  type Attribute,
  basicConstraints,
  bitString,
  commonName,
  forge,
  forgeRoot,
  keyUsage,
  name,
  sequence,
} from './forged-certificate.ts';

/** A directory that something happened to: `lay` puts it there. */
export interface Damage {
  readonly name: string;
  lay(directory: string): void;
}

type Content = Buffer | undefined;
type Change = (content: Buffer) => Content;

const megabyte = 1024 * 1024;
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const textChange =
  (change: (text: string) => string): Change =>
  (content) =>
    latin1(change(content.toString('latin1')));

/** What happens to one file; each of the three has it happen. */
const fileChanges: Record<string, Change> = {
  missing: () => undefined,
  empty: () => Buffer.alloc(0),
  'a line break alone': () => Buffer.from('\n'),
  'UTF-16': textChange((text) => Buffer.from(`\ufeff${text}`, 'utf16le').toString('latin1')),
  'UTF-16, the other way round': textChange((text) =>
    Buffer.from(`\ufeff${text}`, 'utf16le').swap16().toString('latin1'),
  ),
  'a byte order mark': textChange((text) => `\xef\xbb\xbf${text}`),
  'CRLF line ends': textChange((text) => text.replaceAll('\n', '\r\n')),
  'CR line ends': textChange((text) => text.replaceAll('\n', '\r')),
  'NUL bytes alone': () => Buffer.alloc(4096),
  'NUL bytes at the end': (content) => Buffer.concat([content, Buffer.alloc(64)]),
  'a NUL byte in its middle': textChange((text) => `${text.slice(0, 90)}\0${text.slice(90)}`),
  binary: () => Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919 + (index >> 3)) & 0xff)),
  'DER instead of PEM': (content) =>
    Buffer.from(content.toString('latin1').replace(/-----[^-]*-----|\n/g, ''), 'base64'),
  'a gzip header': (content) => Buffer.concat([Buffer.from('1f8b0800', 'hex'), content]),
  'twenty megabytes of spaces': () => Buffer.alloc(20 * megabyte, 0x20),
  'half a megabyte on one line': textChange((text) => text.replaceAll('\n', '') + 'A'.repeat(megabyte / 2)),
  'half a megabyte of dashes': (content) => Buffer.concat([content, Buffer.alloc(megabyte / 2, '-')]),
  'half a megabyte of BEGIN lines': textChange((text) => text + '-----BEGIN CERTIFICATE-----\n'.repeat(18_000)),
  'half a megabyte of BEGIN on one line': textChange((text) => text + '-----BEGIN X-----'.repeat(30_000)),
  'half a megabyte of headers': textChange((text) => text.replace('-----\n', `-----\n${'A: b\n'.repeat(100_000)}`)),
  'its first line lost': textChange((text) => text.slice(text.indexOf('\n') + 1)),
  'its last line lost': textChange((text) => text.slice(0, text.trimEnd().lastIndexOf('\n') + 1)),
  'a line lost': textChange((text) =>
    text
      .split('\n')
      .filter((_, index) => index !== 1)
      .join('\n'),
  ),
  'all on one line': textChange((text) => text.replaceAll('\n', '')),
  indented: textChange((text) => text.replace(/^/gm, '  ')),
  'twice, joined': textChange((text) => text.trimEnd() + text),
  twice: textChange((text) => text + text),
  'a foreign block in front': textChange((text) => encodePem('EC PARAMETERS', Buffer.from([6, 1, 42])) + text),
  'a foreign block behind': textChange((text) => text + encodePem('X509 CRL', Buffer.from([0x30, 0]))),
  'a label with escape sequences': textChange(
    (text) => `${encodePem('\x1b[2J\x1b]0;owned\x07', Buffer.alloc(4))}${text}`,
  ),
  'text with escape sequences': textChange((text) => `\x1b[31m\x9b31m\r\n${text}`),
  'a character that is not base64': textChange((text) => text.replace('M', '%')),
  'another label at its end': textChange((text) => text.replace(/END [A-Z ]*-/, 'END OTHER-')),
  'an empty block': textChange((text) => text.replace(/-----\n[^-]*-----END/, '-----\n-----END')),
  'nothing but a key': () => Buffer.from(encodePrivateKey(forgerKey)),
  'JSON instead': () => Buffer.from('{"kind": "Secret", "data": {"ca.crt": ""}}\n'),
  'HTML instead': () => Buffer.from('<!doctype html><title>503</title>\n'),
};

/** What happens inside the first block of one file. */
const derChanges: Record<string, (der: Buffer) => Buffer> = {
  'a byte more': (der) => Buffer.concat([der, Buffer.from([0])]),
  'a byte less': (der) => der.subarray(0, -1),
  'half of it': (der) => der.subarray(0, der.length / 2),
  'zeros in its place': (der) => Buffer.alloc(der.length),
  'an indefinite length': (der) => Buffer.concat([Buffer.from([0x30, 0x80]), der, Buffer.alloc(2)]),
  'a length of four gigabytes': (der) => Buffer.concat([Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), der]),
  'a length that is not minimal': (der) =>
    Buffer.concat([Buffer.from([0x30, 0x84, 0, 0, der.length >> 8, der.length & 0xff]), der]),
  'a tag of many bytes': (der) => Buffer.concat([Buffer.from([0x3f, 0xff, 0xff, 0x7f]), der]),
  'nesting a hundred thousand deep': () => nested(100_000),
  'nesting thirty deep': (der) => Array.from({ length: 30 }).reduce<Buffer>((inner) => encodeTlv(0x30, inner), der),
};

const flippedBits = [3, 9, 20, 45, 70, 130, 250, 400, 777, 1500, 2222, 3000];
const cuts = [1, 27, 28, 29, 100, 0.25, 0.5, 0.75, -30, -27, -26, -2];

function nested(depth: number): Buffer {
  // Encoded from the inside by hand: encodeTlv would copy it all for each level.
  const headers: Buffer[] = [];
  for (let level = 0, length = 0; level < depth; level++) {
    const header = Buffer.from(
      length < 0x80 ? [0x30, length] : [0x30, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff],
    );
    headers.push(header);
    length += header.length;
  }
  return Buffer.concat(headers.reverse());
}

const [forgerKey, issuerKey] = [newEcKey(), newEcKey()];

function newEcKey() {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

/** A sound bundle whose certificates bear that name. */
function bundleNamed(rdns: readonly Attribute[], now: Date): BundleFiles {
  const dates = { notBefore: new Date(now.getTime() - 3_600_000), notAfter: new Date(now.getTime() + 90 * 86_400_000) };
  const shared = {
    ...dates,
    signer: forgerKey,
    issuer: name(...rdns),
    extensions: [basicConstraints(true), keyUsage('keyCertSign')],
  };
  const issuerName = name(...rdns, { type: 'unit', as: 'utf8', value: 'issuer' });
  return {
    anchors: latin1(encodePem('CERTIFICATE', forge({ ...shared, subject: name(...rdns), key: forgerKey }))),
    issuerChain: latin1(encodePem('CERTIFICATE', forge({ ...shared, subject: issuerName, key: issuerKey }))),
    issuerKey: latin1(encodePrivateKey(issuerKey)),
  };
}

const oddNames: Record<string, readonly Attribute[]> = {
  'escape sequences': [{ type: 'commonName', as: 'utf8', value: '\x1b[31mred\x1b[0m\x1b]8;;http://x\x07\x9b2J' }],
  'line breaks': [{ type: 'commonName', as: 'utf8', value: 'a\r\nError: b\n\n✗ error' }],
  'directions turned around': [{ type: 'commonName', as: 'utf8', value: '\u202egpj.\u2066exe\u200f\u061c' }],
  'a name of ten thousand characters': [{ type: 'commonName', as: 'utf8', value: 'x'.repeat(10_000) }],
  'combining characters': [
    { type: 'commonName', as: 'utf8', value: `Z${'\u0335'.repeat(200)}\u200b\ufeff\u2028\u2029` },
  ],
  'no name': [],
  'a BMPString': [{ type: 'commonName', as: 'bmp', value: 'Größe\x07' }],
  'a comma and an equals sign': [{ type: 'commonName', as: 'utf8', value: 'a, CN=b, O=c\\, d' }],
};

/** Every damage to that bundle. Some are none, and the report must then be the right one. */
export function damagesOf(files: BundleFiles, now: Date): Damage[] {
  // The content is made when it is laid: some of it is large.
  const one = (part: BundlePart, what: string, change: Change): Damage => ({
    name: `${bundleNames[part]}: ${what}`,
    lay: (directory) => layBundle(directory, { ...files, [part]: change(files[part]) }),
  });
  const whole = (what: string, change: () => Partial<BundleFiles>): Damage => ({
    name: what,
    lay: (directory) => layBundle(directory, { ...files, ...change() }),
  });
  const { anchors, issuerChain, issuerKey: key } = files;
  const odd = (what: string, oddity: Parameters<typeof forgeRoot>[0]) =>
    whole(`an anchor more: ${what}`, () => ({
      anchors: Buffer.concat([anchors, Buffer.from(encodePem('CERTIFICATE', forgeRoot(oddity)))]),
    }));
  return [
    ...bundleParts.flatMap((part) => [
      ...Object.entries(fileChanges).map(([what, change]) => one(part, what, change)),
      ...Object.entries(derChanges).map(([what, change]) =>
        one(part, `in its block ${what}`, (content) => inBlock(content, change)),
      ),
      ...flippedBits.map((bit) =>
        one(part, `bit ${bit} flipped`, (content) => inBlock(content, (der) => flip(der, bit))),
      ),
      ...cuts.map((cut) =>
        one(part, `cut at ${cut}`, (content) =>
          content.subarray(0, Number.isInteger(cut) ? cut : content.length * cut),
        ),
      ),
      { name: `${bundleNames[part]}: a directory`, lay: (directory: string) => layFolder(directory, files, part) },
      {
        name: `${bundleNames[part]}: a link to itself`,
        lay: (directory: string) => layLink(directory, files, part, bundleNames[part]),
      },
      {
        name: `${bundleNames[part]}: a link to nothing`,
        lay: (directory: string) => layLink(directory, files, part, 'nowhere'),
      },
    ]),
    whole('anchors and issuer swapped', () => ({ anchors: issuerChain, issuerChain: anchors })),
    whole('issuer and key swapped', () => ({ issuerChain: key, issuerKey: issuerChain })),
    whole('anchors and key swapped', () => ({ anchors: key, issuerKey: anchors })),
    whole('all in each', () => ({
      anchors: Buffer.concat([anchors, issuerChain, key]),
      issuerChain: Buffer.concat([anchors, issuerChain, key]),
      issuerKey: Buffer.concat([anchors, issuerChain, key]),
    })),
    whole('the root as the issuer', () => ({ issuerChain: anchors })),
    whole('the issuer as the root', () => ({ anchors: issuerChain })),
    whole('the private key behind the anchors', () => ({ anchors: Buffer.concat([anchors, key]) })),
    whole('the private key in front of the anchors', () => ({ anchors: Buffer.concat([key, anchors]) })),
    whole('another key', () => ({ issuerKey: Buffer.from(encodePrivateKey(forgerKey)) })),
    whole('two keys', () => ({ issuerKey: Buffer.concat([key, Buffer.from(encodePrivateKey(forgerKey))]) })),
    whole('an encrypted key', () => ({ issuerKey: Buffer.from(encodePrivateKey(forgerKey, 'secret')) })),
    whole('an X25519 key', () => ({
      issuerKey: Buffer.from(encodePrivateKey(generateKeyPairSync('x25519').privateKey)),
    })),
    whole('5,000 times the root', () => ({ anchors: Buffer.concat(Array.from({ length: 5000 }, () => anchors)) })),
    whole('1,000 anchors', () => ({ anchors: Buffer.concat([anchors, ...manyCertificates(1000)]) })),
    whole('500 certificates behind the issuer', () => ({
      issuerChain: Buffer.concat([issuerChain, ...manyCertificates(500)]),
    })),
    whole('a megabyte of broken certificates', () => ({
      anchors: Buffer.concat([
        anchors,
        ...Array.from({ length: 5000 }, (_, index) =>
          Buffer.from(encodePem('CERTIFICATE', Buffer.from(`broken ${index}`))),
        ),
      ]),
    })),
    odd('a date that is none', {
      validity: sequence(encodeTlv(0x17, Buffer.from('269931000000Z')), encodeTlv(0x17, Buffer.from('270101000000Z'))),
    }),
    odd('dates in the year 9999', { notBefore: new Date('2026-01-01'), notAfter: new Date('9999-12-31T23:59:59Z') }),
    odd('dates in the year 1', { notBefore: new Date('0001-01-01'), notAfter: new Date('0001-01-02') }),
    odd('an end before its beginning', { notBefore: new Date('2030-01-01'), notAfter: new Date('2026-01-01') }),
    odd('a negative serial number', { serial: Buffer.from([0x80]) }),
    odd('a serial number of 200 bytes', { serial: Buffer.alloc(200, 0x7f) }),
    odd('version 9', { version: 9 }),
    odd('a key on no curve', {
      spki: sequence(
        sequence(
          encodeTlv(6, Buffer.from('2a8648ce3d0201', 'hex')),
          encodeTlv(6, Buffer.from('2a8648ce3d030107', 'hex')),
        ),
        bitString(Buffer.alloc(65, 4)),
      ),
    }),
    odd('an RSA key of a megabit', {
      spki: sequence(
        sequence(encodeTlv(6, Buffer.from('2a864886f70d010101', 'hex')), encodeTlv(5)),
        bitString(sequence(encodeTlv(2, Buffer.alloc(131_072, 0x7f)), encodeTlv(2, Buffer.from([3])))),
      ),
    }),
    odd('a name that is none', { subject: commonName('a_b', 'printable') }),
    odd('no extension', { extensions: [] }),
    ...Object.entries(oddNames).map(([what, rdns]) => whole(`names with ${what}`, () => bundleNamed(rdns, now))),
    { name: 'no directory', lay: () => undefined },
    { name: 'a file instead of the directory', lay: (directory) => writeFileSync(directory, anchors) },
    { name: 'an empty directory', lay: (directory) => mkdirSync(directory) },
  ];
}

function manyCertificates(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    Buffer.from(encodePem('CERTIFICATE', forgeRoot({ serial: Buffer.from([1, index >> 8, index & 0xff]) }))),
  );
}

function inBlock(content: Buffer, change: (der: Buffer) => Buffer): Buffer {
  const [, label = '', base64 = ''] = /-----BEGIN ([^-]*)-----\n([^-]*)/.exec(content.toString('latin1')) ?? [];
  return latin1(encodePem(label, change(Buffer.from(base64, 'base64'))));
}

function flip(der: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(der);
  const place = (bit >> 3) % der.length;
  flipped.writeUInt8(flipped.readUInt8(place) ^ (1 << (bit & 7)), place);
  return flipped;
}

export function layBundle(directory: string, files: { readonly [Part in keyof BundleFiles]: Content }): void {
  mkdirSync(directory);
  for (const part of bundleParts) {
    const content = files[part];
    if (content) writeFileSync(join(directory, bundleNames[part]), content, { mode: 0o600 });
  }
}

function layFolder(directory: string, files: BundleFiles, part: BundlePart): void {
  layBundle(directory, { ...files, [part]: undefined });
  mkdirSync(join(directory, bundleNames[part]));
}

function layLink(directory: string, files: BundleFiles, part: BundlePart, target: string): void {
  layBundle(directory, { ...files, [part]: undefined });
  symlinkSync(target, join(directory, bundleNames[part]));
}
