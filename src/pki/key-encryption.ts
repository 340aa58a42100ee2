import { createCipheriv, createPrivateKey, type KeyObject, pbkdf2Sync, randomBytes } from 'node:crypto';
import { encodeTlv, tags } from './der.ts';

/**
 * What a stolen file must cost to try one passphrase (OWASP's figure of 2023 for PBKDF2 with
 * SHA-256). node:crypto's own export takes 2,048 rounds and offers no way to ask for more.
 */
const iterations = 600_000;

/**
 * EncryptedPrivateKeyInfo (RFC 5958) under PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC
 * (RFC 8018, appendix A), which OpenSSL, Go libraries and step open.
 */
export function encryptPkcs8(pkcs8: Uint8Array, passphrase: string): Buffer {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = pbkdf2Sync(Buffer.from(passphrase, 'utf8'), salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(pkcs8), cipher.final()]);
  key.fill(0);
  const hmacWithSha256 = sequence(oid('2a864886f70d0209'), null_);
  const kdf = sequence(
    oid('2a864886f70d01050c'),
    sequence(encodeTlv(tags.octetString, salt), encodeTlv(tags.integer, Buffer.from('0927c0', 'hex')), hmacWithSha256),
  );
  const aes256Cbc = sequence(oid('60864801650304012a'), encodeTlv(tags.octetString, iv));
  const pbes2 = sequence(oid('2a864886f70d01050d'), sequence(kdf, aes256Cbc));
  return sequence(pbes2, encodeTlv(tags.octetString, encrypted));
}

/** Undefined for a wrong passphrase and for damage alike: CBC cannot tell them apart. */
export function decryptPkcs8(der: Uint8Array, passphrase: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8', passphrase });
  } catch {
    return undefined;
  }
}

const null_ = Buffer.from([0x05, 0x00]);

function oid(hex: string): Buffer {
  return encodeTlv(tags.oid, Buffer.from(hex, 'hex'));
}

function sequence(...contents: Uint8Array[]): Buffer {
  return encodeTlv(tags.sequence, ...contents);
}
