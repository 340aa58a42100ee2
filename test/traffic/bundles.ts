import type { BundleFiles } from '../../src/pki/bundle.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeBundle, encodeCertificates } from '../../src/pki/encode.ts';
import { type Authority, issueBridge, issueIssuer, issueRoot } from '../../src/pki/issue.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { contextAt, dayMs, type MadeBundle, makeBundle, renew } from '../support/bundles.ts';
import {
  authorityKeyId,
  basicConstraints,
  commonName,
  forge,
  keyUsage,
  type StringType,
  subjectKeyId,
} from '../support/forged-certificate.ts';

/** From what to what, and the anchors that an operator lays out between the two. */
export interface Passage {
  readonly before: BundleFiles;
  readonly after: BundleFiles;
  /** The anchors of both. */
  readonly both: Buffer;
}

function passage(before: BundleFiles, after: BundleFiles): Passage {
  return { before, after, both: Buffer.concat([after.anchors, before.anchors]) };
}

/** Two roots that have nothing to do with each other. */
export async function strangers(): Promise<Passage> {
  const [before, after] = [await makeBundle({ at: new Date() }), await makeBundle({ at: new Date() })];
  return passage(before.files, after.files);
}

/** The root anew on its key, as `renew-certificate --private-key` makes it. */
export async function sameKey(): Promise<Passage> {
  const { files, rootKey } = await makeBundle({ at: new Date() });
  const { bundle } = await renew(files, { kind: 'private-key', rootKey, procedure: undefined }, { now: new Date() });
  return passage(files, encodeBundle(bundle));
}

/**
 * A new root whose certificate the old issuer has signed, too. Made by hand, because what chooses
 * the procedure refuses an issuer whose path length is 0 or 1.
 */
export async function bridge(issuerPathLength?: number): Promise<Passage> {
  const at = new Date();
  const end = new Date(at.getTime() + 30 * dayMs);
  const context = contextAt(at);
  const old: MadeBundle = await makeBundle({ at, ...(issuerPathLength === undefined ? {} : { issuerPathLength }) });
  const [oldIssuer] = old.bundle.issuerChain;
  const root = await issueRoot(generateKey('p256'), end, context);
  const issuer = await issueIssuer(root, generateKey('p256'), end, context);
  const crossed = await issueBridge({ certificate: oldIssuer, key: old.bundle.issuerKey }, root.certificate, context);
  const after = encodeBundle({
    anchors: [root.certificate],
    issuerChain: [issuer.certificate, crossed, oldIssuer],
    issuerKey: issuer.key,
  });
  return passage(old.files, after);
}

/** The same key and the same words in the subject, but in another string type: to Go another name. */
export async function sameWordsInAnotherType(): Promise<Passage> {
  const rootKey = generateKey('p256');
  const [before, after] = await Promise.all((['utf8', 'printable'] as const).map((type) => bundleNamed(type, rootKey)));
  if (!before || !after) throw new Error('two string types make two bundles');
  return passage(before, after);
}

async function bundleNamed(type: StringType, rootKey: Authority['key']): Promise<BundleFiles> {
  const at = new Date();
  const keyId = Buffer.alloc(20, 1);
  const notAfter = new Date(at.getTime() + 30 * dayMs);
  const subject = commonName('cluster.local', type);
  const root = forge({
    subject,
    issuer: subject,
    key: rootKey,
    signer: rootKey,
    notBefore: contextAt(at).notBefore,
    notAfter,
    extensions: [
      basicConstraints(true),
      keyUsage('keyCertSign', 'cRLSign'),
      subjectKeyId(keyId),
      authorityKeyId(keyId),
    ],
  });
  const certificate = readCertificate(root);
  const issuer = await issueIssuer({ certificate, key: rootKey }, generateKey('p256'), notAfter, contextAt(at));
  return {
    ...encodeBundle({ anchors: [certificate], issuerChain: [issuer.certificate], issuerKey: issuer.key }),
    anchors: encodeCertificates([certificate]),
  };
}
