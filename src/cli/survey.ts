import type { Surroundings } from '../app/check.ts';
import { hasSameKey } from '../pki/certificate.ts';
import { publicKeyOf } from '../pki/keys.ts';
import { certificatesOf, readCertificateFile, readKeyFile } from '../pki/reading.ts';
import type { Place } from '../store/directory/place.ts';
import { readFiles } from '../store/directory/read.ts';
import { listOtherFiles, looseModeOf, type OtherFile } from '../store/directory/surroundings.ts';
import { findSettings } from './configuration-file.ts';

/** Gathers what `dapr-mtls check` judges beside the three files. */
export async function surveyDirectory(place: Place, configFlag: string | undefined): Promise<Surroundings> {
  const { settings, problem } = await findSettings(place, configFlag);
  const { anchors } = readFiles(place.directory, place.names);
  const roots = certificatesOf(anchors && readCertificateFile('anchors', anchors));
  const describe = ({ name, content }: OtherFile) => {
    const { key } = readKeyFile(content, name);
    const isRootKey = key !== undefined && roots.some((root) => hasSameKey(publicKeyOf(key), root.publicKey));
    return { name, isRootKey, isConfiguration: /\.ya?ml$/.test(name) };
  };
  return {
    settings,
    settingsProblem: problem,
    keyMode: looseModeOf(place),
    otherFiles: anchors ? listOtherFiles(place).map(describe) : [],
  };
}
