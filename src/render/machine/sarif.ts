import { findingsOf, type Observation, type ObservedFinding } from '../../app/observation/observation.ts';

const levels = { error: 'error', warning: 'warning', info: 'note' } as const;
const guide = 'https://docs.dapr.io/operations/security/mtls/';

/**
 * SARIF 2.1.0 (OASIS). What is found lies in a store and not in a source file, so that it has a logical
 * location. GitHub refuses a result without a physical one.
 */
export function renderSarif({ command, place, at, checks }: Observation, version: string): string {
  const findings = findingsOf({ checks });
  const codes = [...new Set(findings.map(({ code }) => code))];
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'dapr-mtls',
            semanticVersion: version,
            informationUri: guide,
            rules: codes.map((code) => ({ id: code, shortDescription: { text: code } })),
          },
        },
        invocations: [
          {
            executionSuccessful: !checks.some(({ isUnread }) => isUnread),
            commandLine: `dapr-mtls ${command}`,
            // Where nothing was read there is no instant.
            ...(at === '' ? {} : { endTimeUtc: at }),
          },
        ],
        results: findings.map((finding) => describeResult(finding, codes, place)),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function describeResult(
  { code, severity, subject, message, hint }: ObservedFinding,
  codes: readonly string[],
  place: string,
) {
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levels[severity],
    message: { text: `${subject}: ${message}. ${hint}` },
    locations: [
      {
        physicalLocation: locate(subject, place),
        logicalLocations: [{ name: subject, fullyQualifiedName: `${place}: ${subject}` }],
      },
    ],
    partialFingerprints: { 'finding/v1': `${code}:${subject}` },
  };
}

/** What stands for a bundle that is no file here: a relative URI, as GitHub wants them. */
const bundleUri = 'dapr-trust-bundle';

/** In a directory the file that the subject begins with, and its line. */
function locate(subject: string, place: string) {
  const [, file, line] =
    (place.startsWith('directory ') && /^([^/:]+\.[^/: ]+)(?::(\d+))?(?:: |$)/.exec(subject)) || [];
  return {
    artifactLocation: { uri: file === undefined ? bundleUri : encodeURIComponent(file) },
    ...(line === undefined ? {} : { region: { startLine: Number(line) } }),
  };
}
