import { findingsOf, type Observation, type ObservedFinding } from '../../app/observation/observation.ts';

const levels = { error: 'error', warning: 'warning', info: 'note' } as const;
const guide = 'https://docs.dapr.io/operations/security/mtls/';

/**
 * SARIF 2.1.0 (OASIS). What is found lies in a store and not in a line of a source file, so that it has
 * a logical location; GitHub also wants a physical one and is given the store's name.
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
        invocations: [{ executionSuccessful: true, commandLine: `dapr-mtls ${command}`, endTimeUtc: at }],
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
        physicalLocation: { artifactLocation: { uri: encodeURI(place.replaceAll(' ', '/')) } },
        logicalLocations: [{ name: subject, fullyQualifiedName: `${place}: ${subject}` }],
      },
    ],
    partialFingerprints: { 'finding/v1': `${code}:${subject}` },
  };
}
