import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Certificate, readCertificate } from '../../src/pki/certificate.ts';
import { verifyChain, verifyLeafOf, whyNotSigned } from '../../src/pki/chain.ts';
import {
  alternativeName,
  basicConstraints,
  commonName,
  extendedKeyUsage,
  extension,
  type Forgery,
  forge,
  keyUsage,
  sequence,
  signatureAlgorithms,
} from '../support/forged-certificate.ts';

// What Go says of random chains is in interop/chain.test.ts; here is what these verifiers say in words.
const at = new Date('2027-03-01T12:00:00Z');
const [notBefore, notAfter] = [new Date('2027-01-01T00:00:00Z'), new Date('2028-01-01T00:00:00Z')];
const authority = [basicConstraints(true), keyUsage('keyCertSign')];
const keys = new Map<string, KeyObject>();

/** A certificate of that name under the other one; each name has its key. */
function certify(subject: string, issuer: string, oddity: Partial<Forgery> = {}): Certificate {
  const der = forge({
    subject: commonName(subject),
    issuer: commonName(issuer),
    key: keyOf(subject),
    signer: keyOf(issuer),
    notBefore,
    notAfter,
    extensions: authority,
    ...oddity,
  });
  return readCertificate(der);
}

function keyOf(name: string): KeyObject {
  const key = keys.get(name) ?? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  keys.set(name, key);
  return key;
}

const root = certify('root', 'root');
const issuer = certify('issuer', 'root');

describe('verifyChain', () => {
  test('finds the chain up to the anchor', () => {
    const middle = certify('middle', 'root');
    const below = certify('below', 'middle');
    const { ok, reason, chains } = verifyChain(below, { anchors: [root], intermediates: [issuer, middle], at });
    expect({ ok, reason }).toEqual({ ok: true, reason: '' });
    expect(chains).toEqual([[below, middle, root]]);
  });

  test('finds each of several chains', () => {
    const renewed = certify('root', 'root', { serial: Buffer.from([2]) });
    const { chains } = verifyChain(issuer, { anchors: [root, renewed], intermediates: [], at });
    expect(chains).toEqual([
      [issuer, root],
      [issuer, renewed],
    ]);
  });

  test('takes an anchor for itself', () => {
    expect(verifyChain(root, { anchors: [root], intermediates: [], at }).chains).toEqual([[root]]);
  });

  const refusals: Record<string, [Certificate, Parameters<typeof verifyChain>[1], string]> = {
    'no anchor of that name': [
      issuer,
      { anchors: [certify('other', 'other')], intermediates: [], at },
      'signed by unknown authority',
    ],
    'a namesake with another key': [
      issuer,
      { anchors: [certify('root', 'root', { key: keyOf('x'), signer: keyOf('x') })], intermediates: [], at },
      'the signature does not verify under the key of CN=root',
    ],
    'an issuer that has ended': [
      issuer,
      { anchors: [root], intermediates: [], at: new Date('2028-01-01T00:00:01Z') },
      'CN=issuer expired at 2028-01-01T00:00:00.000Z',
    ],
    'a root that has not begun': [
      issuer,
      { anchors: [certify('root', 'root', { notBefore: notAfter })], intermediates: [], at },
      'CN=root is not valid before 2028-01-01T00:00:00.000Z',
    ],
    'a root that is no authority': [
      issuer,
      { anchors: [certify('root', 'root', { extensions: [] })], intermediates: [], at },
      'CN=root is not a certificate authority',
    ],
    'a root that may not sign': [
      issuer,
      {
        anchors: [certify('root', 'root', { extensions: [basicConstraints(true), keyUsage('cRLSign')] })],
        intermediates: [],
        at,
      },
      'CN=root may not sign certificates (no keyCertSign)',
    ],
    'another usage': [
      certify('issuer', 'root', { extensions: [...authority, extendedKeyUsage('codeSigning')] }),
      { anchors: [root], intermediates: [], at, usage: 'serverAuth' },
      'no chain allows serverAuth',
    ],
    'a critical extension': [
      certify('issuer', 'root', { extensions: [extension('unknown', sequence(), true)] }),
      { anchors: [root], intermediates: [], at },
      'unhandled critical extension 1.3.6.1.4.1.55555.1',
    ],
    'name constraints': [
      issuer,
      {
        anchors: [certify('root', 'root', { extensions: [...authority, extension('nameConstraints', sequence())] })],
        intermediates: [],
        at,
      },
      'name constraints are not supported',
    ],
    policies: [
      certify('issuer', 'root', { extensions: [extension('policyConstraints', sequence())] }),
      { anchors: [root], intermediates: [], at },
      'policies are not supported',
    ],
    'SHA-1': [
      certify('issuer', 'root', {
        signature: { algorithm: signatureAlgorithms.ecdsaWithSha1, sign: () => Buffer.alloc(70) },
      }),
      { anchors: [root], intermediates: [], at },
      'the signature algorithm 1.2.840.10045.4.1 is refused',
    ],
  };

  test.each(Object.entries(refusals))('says why: %s', (_, [certificate, options, reason]) => {
    expect(verifyChain(certificate, options)).toEqual({ ok: false, reason, chains: [] });
  });

  test('gives up after a hundred signature checks, as Go does', () => {
    const crowd = Array.from({ length: 100 }, (_, index) =>
      certify('root', 'root', { key: keyOf(`crowd ${index % 2}`), signer: keyOf('x'), serial: Buffer.from([index]) }),
    );
    const intermediates = [...crowd, certify('root', 'top')];
    expect(verifyChain(issuer, { anchors: [certify('top', 'top')], intermediates, at })).toMatchObject({
      ok: false,
      reason: 'signature check attempts limit reached',
    });
  });
});

describe('verifyLeafOf', () => {
  test('asks for a leaf below the first of the chain', () => {
    expect(verifyLeafOf([issuer], { anchors: [root], at }).chains).toEqual([[issuer, root]]);
    expect(verifyLeafOf([root], { anchors: [root], at }).chains).toEqual([[root]]);
  });

  test.each([
    [
      'an issuer that is none',
      certify('issuer', 'root', { extensions: [basicConstraints(false)] }),
      'CN=issuer is not a certificate authority',
    ],
    [
      'an issuer for servers when clients ask',
      certify('issuer', 'root', { extensions: [...authority, extendedKeyUsage('server')] }),
      'no chain allows clientAuth',
    ],
    [
      'name constraints on the issuer itself',
      certify('issuer', 'root', { extensions: [...authority, extension('nameConstraints', sequence())] }),
      'name constraints are not supported',
    ],
  ])('refuses %s', (_, certificate, reason) => {
    expect(verifyLeafOf([certificate], { anchors: [root], at, usage: 'clientAuth' })).toEqual({
      ok: false,
      reason,
      chains: [],
    });
  });

  test('counts self-issued certificates against a path length, where OpenSSL does not', () => {
    const narrow = certify('root', 'root', { extensions: [basicConstraints(true, 1), keyUsage('keyCertSign')] });
    const selfIssued = certify('root', 'root', { key: keyOf('new root') });
    const below = certify('issuer', 'root', { signer: keyOf('new root') });
    expect(verifyLeafOf([below, selfIssued], { anchors: [narrow], at }).reason).toBe(
      'too many intermediates for the path length 1 of CN=root',
    );
  });

  test('a bridge serves who holds only the old root', () => {
    const [oldRoot, newRoot] = [certify('old root', 'old root'), certify('new root', 'new root')];
    const oldIssuer = certify('old issuer', 'old root');
    const bridge = certify('new root', 'old issuer', { extensions: [...authority, alternativeName('dns', 'bridge')] });
    const newIssuer = certify('new issuer', 'new root');
    for (const anchors of [[oldRoot], [newRoot], [oldRoot, newRoot]]) {
      expect(verifyLeafOf([newIssuer, bridge, oldIssuer], { anchors, at }).ok).toBe(true);
    }
    expect(verifyLeafOf([newIssuer, oldIssuer], { anchors: [oldRoot], at }).ok).toBe(false);
  });
});

describe('whyNotSigned', () => {
  test('is undefined where the parent may have signed, and did', () => {
    expect(whyNotSigned(issuer, root)).toBeUndefined();
    expect(whyNotSigned(root, root)).toBeUndefined();
  });

  test('looks at no name', () => {
    const renamed = certify('somebody else', 'root', { key: keyOf('root') });
    expect(whyNotSigned(issuer, renamed)).toBeUndefined();
  });

  test('refuses RSA keys of less than 1024 bits, as Go does', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey;
    const weak = certify('weak', 'weak', { key, signer: key });
    expect(whyNotSigned(weak, weak)).toBe('the RSA key of CN=weak is shorter than 1024 bits');
  });
});
