import { expect, test } from 'vitest';
import { encodePem } from '../../src/pki/pem.ts';
import {
  bundleParts,
  certificatesOf,
  certificatesSeenByGo,
  readBundle,
  readCertificateFile,
  readKeyFile,
  visibleCertificatesOf,
} from '../../src/pki/reading.ts';
import { bundleNames } from '../support/bundles.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { forgeRoot } from '../support/forged-certificate.ts';

const [a, b] = [1, 2].map((serial) => encodePem('CERTIFICATE', forgeRoot({ serial: Buffer.from([serial]) })));
const garbage = encodePem('CERTIFICATE', Buffer.from('none'));
const crl = encodePem('X509 CRL', Buffer.from([0x30, 0]));

test('a file of certificates is read with nothing lost', () => {
  const file = readCertificateFile('anchors', Buffer.from(`${a}${garbage}${crl}${b}-----BEGIN CERTIFICATE-----\n`));
  expect(file.entries.map(({ line, seenByGo, problem }) => [line, seenByGo, problem !== undefined])).toEqual([
    [1, true, false],
    [11, true, true],
    [17, false, false],
  ]);
  expect(file.foreign.map(({ label, line }) => [label, line])).toEqual([['X509 CRL', 14]]);
  expect(file.problems.map(({ kind, line }) => [kind, line])).toEqual([['no-end', 27]]);
  expect(certificatesOf(file).map(({ serial }) => serial)).toEqual(['01', '02']);
  expect(visibleCertificatesOf(file).map(({ serial }) => serial)).toEqual(['01']);
});

test('what is not there has no certificates', () => {
  expect(certificatesOf(undefined)).toEqual([]);
  expect(visibleCertificatesOf(undefined)).toEqual([]);
});

test('Go reads up to the first block that is no certificate', () => {
  expect(certificatesSeenByGo(Buffer.from(`${a}${b}${crl}${a}`))).toHaveLength(2);
  expect(certificatesSeenByGo(Buffer.from(crl + a))).toEqual([]);
});

test('a key file that cannot be read keeps the error and the blocks', () => {
  const { issuerKey } = readForeignBundle('step');
  const file = readKeyFile(Buffer.concat([issuerKey, issuerKey]), 'issuer.key');
  expect(file).toMatchObject({ key: undefined, problem: { code: 'key.unreadable' } });
  expect(file.blocks).toHaveLength(2);
  expect(readKeyFile(issuerKey, 'issuer.key').problem).toBeUndefined();
});

test('a bundle is read part by part, and a missing part stays missing', () => {
  const files = readForeignBundle('step');
  const reading = readBundle({ ...files, issuerChain: undefined }, bundleNames);
  expect(bundleParts.filter((part) => reading[part] === undefined)).toEqual(['issuerChain']);
  expect(certificatesOf(reading.anchors)).toHaveLength(1);
});
