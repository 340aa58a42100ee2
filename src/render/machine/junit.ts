import { type Observation, type ObservedCheck, worstSeverity } from '../../app/observation/observation.ts';

/** One test case for each check, as Jenkins and GitLab read them; only errors and warnings are failures. */
export function renderJunit({ command, place, at, checks }: Observation): string {
  const suite = `dapr-mtls ${command}`;
  const failures = checks.filter(isFailure).length;
  // Where nothing was read there is no instant.
  const timestamp = at === '' ? '' : ` timestamp=${quote(at.replace(/Z$/, ''))}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${quote(suite)} tests="${checks.length}" failures="${failures}" errors="0" time="0">`,
    `  <testsuite name=${quote(suite)} tests="${checks.length}" failures="${failures}" errors="0" skipped="0" time="0"${timestamp} hostname="localhost">`,
    '    <properties>',
    `      <property name="place" value=${quote(place)}/>`,
    '    </properties>',
    ...checks.flatMap((check) => describeCase(check, suite.replace(' ', '.'))),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function isFailure(check: ObservedCheck): boolean {
  const worst = worstSeverity({ checks: [check] });
  return worst === 'error' || worst === 'warning';
}

/** A case has one failure at most: several findings are several paragraphs of it. */
function describeCase(check: ObservedCheck, suite: string): string[] {
  const { name, findings } = check;
  const head = `    <testcase name=${quote(name)} classname=${quote(suite)} time="0"`;
  const [first] = findings;
  if (!first) return [`${head}/>`];
  const text = findings
    .map(({ severity, subject, message, hint }) => `${severity}: ${subject}: ${message}\nMend: ${hint}`)
    .join('\n\n');
  const body = isFailure(check)
    ? `      <failure type=${quote(first.code)} message=${quote(first.message)}>${escapeXml(text)}</failure>`
    : `      <system-out>${escapeXml(text)}</system-out>`;
  return [`${head}>`, body, '    </testcase>'];
}

function quote(text: string): string {
  return `"${escapeXml(text)}"`;
}

/** What XML 1.0 has no character for is shown as an escape. */
function escapeXml(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/g, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    })
    .replace(/[&<>"]/g, (character) => named[character] ?? character);
}
