import { assertBundle } from '../app/assert-bundle.ts';
import type { Surroundings } from '../app/check/check.ts';
import { judgeDirectory } from '../app/check/directory.ts';
import { hasSameKey } from '../pki/certificate.ts';
import { publicKeyOf } from '../pki/keys.ts';
import { certificatesOf, readCertificateFile, readKeyFile } from '../pki/reading.ts';
import type { DaprVersion } from '../pki/rules/context.ts';
import type { Place } from '../store/directory/place.ts';
import { DirectoryReader, readFiles } from '../store/directory/read.ts';
import { listOtherFiles, looseModeOf, type OtherFile } from '../store/directory/surroundings.ts';
import type { StoredBundle, StoreLocation } from '../store/port.ts';
import { findSettings } from './configuration-file.ts';
import { chooseStore, type StoreFlags } from './open-store.ts';

/** All that `dapr-mtls check` judges. */
export interface Survey {
  readonly stored: StoredBundle;
  readonly location: StoreLocation;
  readonly surroundings: Surroundings;
  /** What runs there; undefined where that is not known. */
  readonly daprVersion: DaprVersion | undefined;
}

export async function surveyStore(
  flags: StoreFlags & { readonly config: string | undefined },
  env: NodeJS.ProcessEnv,
): Promise<Survey> {
  const choice = chooseStore(flags, env, 'read');
  if (choice.kind === 'cluster') {
    const { surveyCluster } = await import('./survey-cluster.ts');
    return surveyCluster(flags, env);
  }
  const reader = new DirectoryReader(choice.place);
  const stored = await reader.read();
  assertBundle(stored, reader.location);
  const surroundings = await surveyDirectory(choice.place, flags.config);
  return { stored, location: reader.location, surroundings, daprVersion: undefined };
}

/** What there is beside the three files of a directory. */
export async function surveyDirectory(place: Place, configFlag: string | undefined): Promise<Surroundings> {
  const { settings, problem } = await findSettings(place, configFlag);
  const { anchors } = readFiles(place.directory, place.names);
  const roots = certificatesOf(anchors && readCertificateFile('anchors', anchors));
  const describe = ({ name, content }: OtherFile) => {
    const { key } = readKeyFile(content, name);
    const isRootKey = key !== undefined && roots.some((root) => hasSameKey(publicKeyOf(key), root.publicKey));
    return { name, isRootKey, isConfiguration: /\.ya?ml$/.test(name) };
  };
  const findings = judgeDirectory({
    names: place.names,
    settingsProblem: problem,
    keyMode: looseModeOf(place),
    otherFiles: anchors ? listOtherFiles(place).map(describe) : [],
  });
  return { settings, findings };
}
