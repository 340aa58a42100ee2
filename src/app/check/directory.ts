import type { BundlePart } from '../../pki/reading.ts';
import { type Finding, finding } from '../../pki/rules/finding.ts';

/** What a directory tells beside the three files. */
export interface DirectorySurroundings {
  readonly names: Readonly<Record<BundlePart, string>>;
  /** Undefined: the Configuration was read, or there is none. */
  readonly settingsProblem: string | undefined;
  /** Rights of the key beyond its owner, as `0640`; undefined where it is private. */
  readonly keyMode: string | undefined;
  /** Other files of the directory, by name. */
  readonly otherFiles: readonly {
    readonly name: string;
    readonly isRootKey: boolean;
    readonly isConfiguration: boolean;
  }[];
}

/** Pure. */
export function judgeDirectory({ keyMode, otherFiles, settingsProblem, names }: DirectorySurroundings): Finding[] {
  const findings: Finding[] = [];
  if (keyMode) {
    findings.push(
      finding('store.key-readable', {
        subject: names.issuerKey,
        message: `${names.issuerKey} has mode ${keyMode}`,
        hint: `If Sentry runs as its owner: chmod 600 ${names.issuerKey}`,
      }),
    );
  }
  for (const { name, isRootKey, isConfiguration } of otherFiles) {
    if (isRootKey) {
      findings.push(
        finding('store.root-key-beside', {
          subject: name,
          message: `${name} holds the key of a trust anchor`,
          hint: 'Move it to a safe place; Sentry does not need it, and whoever reads it can sign for every service.',
        }),
      );
    } else if (isConfiguration) {
      findings.push(
        finding('store.config-inside', {
          subject: name,
          message: `${name} lies in the directory that Sentry watches`,
          hint: 'Move it out and name its new place with `sentry --config`.',
        }),
      );
    }
  }
  if (settingsProblem) {
    findings.push(
      finding('config.unreadable', {
        subject: 'Configuration',
        message: settingsProblem,
        hint: 'Check the file that --config names, and mend its YAML.',
      }),
    );
  }
  return findings;
}
