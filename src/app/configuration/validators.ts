import { type Finding, finding } from '../../pki/rules/finding.ts';

/** One of `spec.mtls.tokenValidators`: how clients that are no pods prove to Sentry who they are. */
export interface TokenValidator {
  readonly name: string;
  /** Where the keys come from; undefined where none is named. Keys that stand there themselves are not shown. */
  readonly source: 'inline' | (string & {}) | undefined;
}

/** What stands in a Configuration; whatever is no validator keeps its place without a name. */
export function readTokenValidators(value: unknown): TokenValidator[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry: unknown) => {
    const { name, options } = (entry ?? {}) as { name?: unknown; options?: unknown };
    const source = (options as { source?: unknown } | null | undefined)?.source;
    return {
      name: typeof name === 'string' ? name : '',
      source: typeof source === 'string' && source !== '' ? describeSource(source) : undefined,
    };
  });
}

/** A URL, a path, or the keys themselves, base64 or not (dapr/kit jwkscache). */
function describeSource(source: string): string {
  if (/^https?:\/\//.test(source)) return source.replace(/^(https?:\/\/)[^/@]*@/, '$1');
  return /^\s*\{|^eyJ/.test(source) || source.length > 256 ? 'inline' : source;
}

/**
 * What Sentry makes of them (pkg/sentry/config parseConfiguration): `jwks` is the only one that may be
 * configured, in any case of letters, and any other name ends it at its start.
 * @param wayToStore as in commands: ` -k`, or nothing
 */
export function judgeTokenValidators(validators: readonly TokenValidator[], wayToStore: string): Finding[] {
  const findings = validators.flatMap(({ name, source }): Finding[] => {
    const subject = `tokenValidators: ${name || '(no name)'}`;
    const kind = name.toLowerCase();
    if (kind === 'kubernetes' || kind === 'insecure') {
      return [
        finding('validator.built-in', {
          subject,
          message: `${kind} is built in and may not be configured: Sentry exits when it starts`,
          hint: 'Take it out of spec.mtls.tokenValidators of the Configuration.',
        }),
      ];
    }
    if (kind !== 'jwks') {
      return [
        finding('validator.unknown', {
          subject,
          message: 'Sentry knows no such validator and exits when it starts',
          hint: 'The only one that can be configured is jwks: mend the name in spec.mtls.tokenValidators.',
        }),
      ];
    }
    if (source === undefined) {
      return [
        finding('validator.no-source', {
          subject,
          message: 'it names no source of keys, so that no token can be verified',
          hint: 'Set options.source to a URL, a file, or the keys themselves.',
        }),
      ];
    }
    if (!source.startsWith('http://')) return [];
    return [
      finding('validator.plain-http', {
        subject,
        message: `its keys are fetched from ${source} without TLS: who answers there decides who is given certificates`,
        hint: 'Use https, and options.caCertificate where the server has a private authority.',
      }),
    ];
  });
  if (validators.length === 0) return findings;
  return [
    ...findings,
    finding('validator.external-clients', {
      subject: 'tokenValidators',
      message: 'clients that join with tokens of their own are no pods: no audit sees which anchors they hold',
      hint: `Know who they are before the anchors change; a rotation asks for \`dapr-mtls rotate confirm external-clients${wayToStore}\`.`,
    }),
  ];
}
