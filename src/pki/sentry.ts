import { createPublicKey, type KeyObject } from 'node:crypto';
import { DaprMtlsError } from '../errors.ts';
import type { BundleFiles } from './bundle.ts';
import { type Certificate, hasSameKey, readCertificate } from './certificate.ts';
import { verifyChain, whyNotSigned } from './chain.ts';
import { decodeAsGo } from './pem.ts';
import { parsePrivateKey, plainKeyLabels } from './private-key.ts';
import { certificatesSeenByGo } from './reading.ts';

/**
 * The verdict of a starting Sentry on three files, check by check in its own order: undefined when
 * it runs, else why it exits.
 * Source: dapr/dapr pkg/sentry/server/ca/validate.go `verifyX509Bundle`, dapr/kit crypto/pem.
 */
export function whySentryRefuses(files: BundleFiles, at: Date): string | undefined {
  try {
    checkAsSentry(files, at);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal || error instanceof DaprMtlsError) return error.message;
    throw error;
  }
}

class Refusal extends Error {}

function checkAsSentry(files: BundleFiles, at: Date): void {
  const anchors = decodeCertificates(files.anchors);
  for (const anchor of anchors) {
    const reason = whyNotSigned(anchor, anchor);
    if (reason) throw new Refusal(`certificate in trust anchor is not self-signed: ${reason}`);
  }
  let chain = decodeCertificates(files.issuerChain);
  chain.forEach((link, index) => {
    const next = chain[index + 1];
    if (next && whyNotSigned(link, next)) throw new Refusal('certificate chain is not valid');
  });
  const last = chain.at(-1);
  if (chain.length > 1 && last && !whyNotSigned(last, last)) chain = chain.slice(0, -1);

  const [issuer, ...intermediates] = chain;
  if (!issuer) throw new Refusal('no certificates found');
  const { basicConstraints, keyUsage } = issuer.detail;
  if (!basicConstraints && !keyUsage?.includes('keyCertSign')) {
    throw new Refusal('intermediate certificate is not valid for signing');
  }
  if (chain.every((link) => !whyNotSigned(link, link))) throw new Refusal('issuer chain is empty after re-encoding');

  const key = decodeKey(files.issuerKey);
  if (!hasSameKey(createPublicKey(key), issuer.publicKey)) {
    throw new Refusal('issuer key does not match issuer certificate');
  }
  // Go asks for serverAuth where no usage is named.
  const verification = verifyChain(issuer, { anchors, intermediates, at, usage: 'serverAuth' });
  if (!verification.ok) throw new Refusal(`issuer chain does not belong to trust anchors: ${verification.reason}`);
}

function decodeCertificates(bytes: Buffer): Certificate[] {
  const certificates = certificatesSeenByGo(bytes).map(({ der }) => readCertificate(der));
  if (certificates.length === 0) throw new Refusal('no certificates found');
  return certificates;
}

/** Only the first block counts: a key behind `EC PARAMETERS` is not found. */
function decodeKey(bytes: Buffer): KeyObject {
  const [block] = decodeAsGo(bytes);
  if (!block) throw new Refusal('key is not PEM encoded');
  // A label is a stranger's word, and this one is told to people.
  if (!plainKeyLabels.includes(block.label))
    throw new Refusal(`unsupported block type ${block.label.replace(/[^ -~]/g, '?')}`);
  try {
    return parsePrivateKey(block.label, block.der);
  } catch {
    throw new Refusal('the issuer key cannot be parsed');
  }
}
