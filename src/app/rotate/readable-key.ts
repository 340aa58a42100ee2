import { DaprMtlsError } from '../../errors.ts';
import { readKeyFile } from '../../pki/reading.ts';
import type { StoredBundle, StoreLocation } from '../../store/port.ts';
import type { Procedure } from './record.ts';

/**
 * No Sentry starts on a key that wants a passphrase, and none can be told one. Only who replaces everything has no
 * need of that key.
 * @throws DaprMtlsError `key.passphrase`
 */
export function assertReadableKey(
  { files }: StoredBundle,
  { name, names }: StoreLocation,
  procedure: Procedure | undefined,
): void {
  const { problem } = files.issuerKey ? readKeyFile(files.issuerKey, names.issuerKey) : { problem: undefined };
  if (problem?.code !== 'key.passphrase' || procedure === 'replace') return;
  throw new DaprMtlsError('key.passphrase', {
    message: `the issuer key ${names.issuerKey} in ${name} is encrypted: no Sentry starts on it, and a rotation builds on a bundle on which Sentry runs; nothing was written`,
    hint: `Put it there in clear: \`openssl pkcs8 -in ${names.issuerKey} -out clear.key\` asks for its passphrase. If that is lost: \`--procedure replace\`, which loses calls.`,
  });
}
