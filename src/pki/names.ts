import { isUtf8 } from 'node:buffer';
import { assertTag, DerError, readChildren, readSequence, type Tlv, tags } from './der.ts';

/**
 * Go refuses to parse a certificate for a single odd character in a name, where OpenSSL and Node do
 * not look. Source of the rules: `parseName` and `parseASN1String` of Go's crypto/x509.
 * @throws DerError
 */
export function assertName(name: Tlv | undefined): void {
  for (const rdn of readSequence(name)) {
    for (const attribute of readChildren(assertTag(rdn, tags.set).content)) {
      const [type, value] = readSequence(attribute);
      assertTag(type, tags.oid);
      if (!value || !stringTypes[value.tag]?.(Buffer.from(value.content)))
        throw new DerError('a name with a value that Go does not take');
    }
  }
}

const stringTypes: Record<number, (content: Buffer) => boolean> = {
  // UTF8String, NumericString, PrintableString (with the `*` and `&` that Go allows), T61String, IA5String.
  12: isUtf8,
  18: (content) => /^[0-9 ]*$/.test(content.toString('latin1')),
  19: (content) => /^[A-Za-z0-9 '()*+,\-./:=?&]*$/.test(content.toString('latin1')),
  20: () => true,
  22: (content) => content.every((byte) => byte < 0x80),
  30: isBmpString,
};

/** Two bytes a character; neither surrogates nor what Unicode has set aside. */
function isBmpString(content: Buffer): boolean {
  if (content.length % 2 !== 0) return false;
  for (let offset = 0; offset < content.length; offset += 2) {
    const point = content.readUInt16BE(offset);
    const isSetAside = point >= 0xfffe || (point >= 0xfdd0 && point <= 0xfdef) || (point >= 0xd800 && point <= 0xdfff);
    if (isSetAside) return false;
  }
  return true;
}
