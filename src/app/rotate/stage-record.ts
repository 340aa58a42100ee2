import type { KeyObject } from 'node:crypto';
import { DaprMtlsError } from '../../errors.ts';
import type { BundleFiles } from '../../pki/bundle.ts';
import { type Certificate, hasSameKey } from '../../pki/certificate.ts';
import { encodePrivateKey, publicKeyOf, readPrivateKey } from '../../pki/keys.ts';
import { readCertificateFile, readKeyFile, visibleCertificatesOf } from '../../pki/reading.ts';
import type { FoundFiles } from '../../store/port.ts';
import type { RotationRecord, StageName, StageRecord } from './record.ts';
import type { Stage, Stages } from './stages.ts';

/**
 * @param passphrase encrypts the key; undefined leaves it in clear, as it stands in the store
 * @throws DaprMtlsError `key.unreadable`, `key.passphrase` for a key that cannot be encrypted anew
 */
export function encodeStage({ files }: Stage, passphrase: string | undefined): StageRecord {
  const { anchors, issuerChain, issuerKey } = files;
  const key = passphrase === undefined ? issuerKey : encrypt(issuerKey, passphrase);
  return {
    anchors: anchors.toString('base64'),
    issuerChain: issuerChain.toString('base64'),
    issuerKey: key.toString('base64'),
  };
}

function encrypt(key: Buffer, passphrase: string): Buffer {
  const { key: readable, problem } = readKeyFile(key, 'the issuer key');
  if (readable) return Buffer.from(encodePrivateKey(readable, passphrase));
  throw new DaprMtlsError(problem?.code ?? 'key.unreadable', {
    message: `the issuer key that stands in the bundle cannot be kept under a passphrase in the record: ${problem?.message}; nothing was begun`,
    hint: 'Leave --passphrase-file out: then the record keeps that key as it stands, and the new ones in clear.',
    cause: problem,
  });
}

/**
 * The stages as they can be judged; their key files are as they were recorded, perhaps encrypted.
 * @throws DaprMtlsError `store.damaged`
 */
export function readStages({ stages }: Pick<RotationRecord, 'stages'>): Stages {
  return Object.fromEntries(Object.entries(stages).map(([name, stage]) => [name, readStage(stage)]));
}

function readStage({ anchors, issuerChain, issuerKey = '' }: StageRecord): Stage {
  const files = {
    anchors: Buffer.from(anchors, 'base64'),
    issuerChain: Buffer.from(issuerChain, 'base64'),
    issuerKey: Buffer.from(issuerKey, 'base64'),
  };
  const [issuer, ...rest] = visibleCertificatesOf(readCertificateFile('issuerChain', files.issuerChain));
  if (!issuer) throw damaged();
  return {
    files,
    anchors: visibleCertificatesOf(readCertificateFile('anchors', files.anchors)),
    issuerChain: [issuer, ...rest],
  };
}

/**
 * A stage with its key, to be written.
 * @param wayToStore ` -k`, for the mend
 * @throws DaprMtlsError `store.damaged`, `key.passphrase`
 */
export function openStage(
  { stages, encrypted }: Pick<RotationRecord, 'stages' | 'encrypted'>,
  name: StageName,
  passphrase: string | undefined,
  wayToStore = '',
): BundleFiles {
  const stage = stages[name];
  if (!stage?.issuerKey) throw damaged();
  const { files } = readStage(stage);
  const key = Buffer.from(stage.issuerKey, 'base64');
  if (!encrypted) return { ...files, issuerKey: key };
  return { ...files, issuerKey: Buffer.from(encodePrivateKey(decrypt(key, passphrase, wayToStore))) };
}

function decrypt(key: Buffer, passphrase: string | undefined, wayToStore: string): KeyObject {
  try {
    return readPrivateKey(key, 'the issuer key in the record of the rotation', passphrase);
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'key.passphrase') throw error;
    throw new DaprMtlsError('key.passphrase', {
      message: error.message,
      hint: `Give the passphrase that the rotation was begun with: --passphrase-file FILE. If it is lost, nobody goes on with this rotation: \`dapr-mtls rotate undo${wayToStore} --abandon\` ends it and keeps the bundle that stands there.`,
      cause: error,
    });
  }
}

/**
 * Whether a stage stands in the store: the same bytes of certificates, and a key that belongs to them. A
 * key that was encrypted meanwhile is the same key in other bytes.
 */
export function isStage({ files, issuerChain }: Stage, found: FoundFiles): boolean {
  if (!found.anchors?.equals(files.anchors) || !found.issuerChain?.equals(files.issuerChain)) return false;
  // The old key of an emergency may belong to no certificate, or be none at all.
  return found.issuerKey?.equals(files.issuerKey) || isKeyOf(found.issuerKey, issuerChain[0]);
}

function isKeyOf(file: Buffer | undefined, { publicKey }: Certificate): boolean {
  const key = file && readKeyFile(file, 'issuer key').key;
  return key !== undefined && hasSameKey(publicKeyOf(key), publicKey);
}

/** The stages without anything secret. */
export function withoutKeys({ stages }: Pick<RotationRecord, 'stages'>): RotationRecord['stages'] {
  return Object.fromEntries(
    Object.entries(stages).map(([name, { anchors, issuerChain }]) => [
      name,
      { anchors, issuerChain, issuerKey: undefined },
    ]),
  );
}

function damaged(): DaprMtlsError {
  return new DaprMtlsError('store.damaged', {
    message: 'the record of the rotation lacks a bundle that it names',
    hint: 'Judge the bundle that stands there: `dapr-mtls check`. Copies: `dapr-mtls backup list`.',
  });
}
