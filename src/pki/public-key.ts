import { assertTag, DerError, readBits, readChildren, readOid, readSequence, type Tlv, tags } from './der.ts';

/** Bytes of a coordinate, by curve: P-224, P-256, P-384, P-521. */
const coordinateSizes: Record<string, number> = {
  '1.3.132.0.33': 28,
  '1.2.840.10045.3.1.7': 32,
  '1.3.132.0.34': 48,
  '1.3.132.0.35': 66,
};

/**
 * A public key that Go's crypto/x509 both parses and verifies with (`parsePublicKey`): RSA, ECDSA on
 * a NIST curve with an uncompressed point, Ed25519. OpenSSL takes many more.
 * @throws DerError
 */
export function assertPublicKey(spki: Tlv | undefined): void {
  const [algorithm, bits] = readSequence(spki);
  const [id, parameters] = readSequence(algorithm);
  const assertKind = kinds[readOid(id)];
  if (!assertKind) throw new DerError('a public key of a kind that Go does not verify with');
  assertKind(readBits(bits), parameters);
}

const kinds: Record<string, (key: Uint8Array, parameters: Tlv | undefined) => void> = {
  '1.2.840.113549.1.1.1': assertRsaKey,
  '1.2.840.10045.2.1': assertPoint,
  '1.3.101.112': assertEd25519Key,
};

function assertRsaKey(key: Uint8Array, parameters: Tlv | undefined): void {
  assertTag(parameters, tags.null);
  const [modulus, exponent] = readSequence(readChildren(key)[0]);
  for (const number of [modulus, exponent]) {
    const [first = 0x80] = assertTag(number, tags.integer).content;
    if (first >= 0x80) throw new DerError('an RSA key that is not positive');
  }
}

function assertPoint(key: Uint8Array, parameters: Tlv | undefined): void {
  const size = coordinateSizes[readOid(parameters)];
  if (size === undefined) throw new DerError('a key on a curve that Go does not know');
  if (key.length !== 1 + 2 * size || key[0] !== 4) throw new DerError('a point that is not uncompressed');
}

function assertEd25519Key(key: Uint8Array, parameters: Tlv | undefined): void {
  if (parameters || key.length !== 32) throw new DerError('a malformed Ed25519 key');
}
