import { buildHelmValues, daprValuesPath } from '../app/owners/helm-values.ts';
import { buildManifests } from '../app/owners/manifest.ts';
import type { BundlePart, FoundFiles } from '../pki/reading.ts';
import type { OwnerJudgement } from './ask-owners.ts';
import type { Streams } from './streams.ts';

export interface HandOutFlags {
  readonly 'output-helm-values': string | undefined;
  readonly 'output-manifest': string | undefined;
  readonly 'with-issuer-key': boolean;
}

/** Whether somebody else is to bring the bundle into the cluster. */
export function isHandedOut(flags: HandOutFlags): boolean {
  return flags['output-helm-values'] !== undefined || flags['output-manifest'] !== undefined;
}

export interface HandOutFile {
  /** As it was typed. */
  readonly path: string;
  readonly text: string;
}

/** What is to be committed; the labels and keys of the live objects are kept. Pure. */
export function draftHandOut(
  { objects: { secret, configMap }, facts }: Pick<OwnerJudgement, 'objects' | 'facts'>,
  files: FoundFiles,
  names: Readonly<Record<BundlePart, string>>,
  flags: HandOutFlags,
  keySource: string,
): HandOutFile[] {
  const { 'output-helm-values': values, 'output-manifest': manifest, 'with-issuer-key': withIssuerKey } = flags;
  const { valuesPath } = facts.helm.state === 'found' ? facts.helm.release : { valuesPath: daprValuesPath };
  return [
    ...(values === undefined
      ? []
      : [{ path: values, text: buildHelmValues(files, { valuesPath, withIssuerKey, keySource }) }]),
    ...(manifest === undefined || !secret
      ? []
      : [{ path: manifest, text: buildManifests({ secret, configMap }, files, { names, withIssuerKey, keySource }) }]),
  ];
}

/** A key that lies somewhere is never written without a word. */
export function tellOfFile(streams: Streams, path: string, holdsKey: boolean): void {
  streams.note(`Written: ${path}${holdsKey ? ', the issuer key IN CLEAR in it' : ''}\n`);
}
