import { describe, expect, test } from 'vitest';
import { listKnownLines, startExplaining } from '../../src/app/explain/explain.ts';
import { knownLines } from '../../src/app/explain/known-lines.ts';
import { readMessage } from '../../src/app/explain/read-line.ts';

function explain(log: readonly string[], directory?: string) {
  const explaining = startExplaining(directory);
  for (const line of log) explaining.take(line);
  return explaining.report();
}

function codesOf(log: readonly string[]): string[] {
  return explain(log).explanations.map(({ code }) => code);
}

/** As they stand in issues of dapr/dapr and in logs of Dapr 1.11 to 1.18. */
const seen: readonly [string, string][] = [
  ['certificate.expired', 'Dapr root certificate expiration warning: certificate has expired.'],
  [
    'certificate.ends-soon',
    'Dapr root certificate of your Kubernetes cluster expires in 2 days. Expiry date: Mon, 04 Apr 2022 15:01:03 UTC.',
  ],
  [
    'identity.failed',
    'time="2024-05-07T10:00:00Z" level=fatal msg="Fatal error from runtime: failed to retrieve the initial identity certificate: context canceled" app_id=a scope=dapr.runtime type=log ver=1.13.2',
  ],
  [
    'sentry.unreachable',
    'Fatal error from runtime: failed to retrieve the initial identity certificate: error establishing connection to sentry: context canceled: connection error: desc = "transport: authentication handshake failed: remote error: tls: no application protocol"',
  ],
  [
    'sentry.token-refused',
    'level=error msg="error validating requester identity: csr validation failed: invalid token: [invalid bearer token, Token has been invalidated]" scope=dapr.sentry.server ver=unknown',
  ],
  [
    'sentry.token-refused',
    'error running operator: failed to retrieve the initial identity certificate: error from sentry SignCertificate: rpc error: code = PermissionDenied desc = token review failed: client rate limiter Wait returned an error',
  ],
  [
    'sentry.identity-refused',
    '{"app_id":"a","instance":"p","level":"fatal","msg":"Fatal error from runtime: failed to retrieve the initial identity: error from sentry SignCertificate: rpc error: code = PermissionDenied desc = failed to get configuration","scope":"dapr.runtime","time":"2025-01-15T00:00:00Z","type":"log","ver":"1.14.1"}',
  ],
  [
    'peer.unknown-authority',
    '2023/11/08 00:37:09 http: TLS handshake error from 10.0.0.1:38432: tls: failed to verify certificate: x509: certificate signed by unknown authority',
  ],
  ['peer.unknown-authority', 'remote error: tls: unknown certificate authority'],
  ['certificate.expired', 'remote error: tls: expired certificate'],
  ['peer.refused-ours', 'tls: bad certificate'],
  ['sentry.ca-failed', 'level=fatal msg="error creating CA: failed to get CA bundle: Unauthorized"'],
  ['issuer.not-a-signer', 'x509: invalid signature: parent certificate cannot sign this kind of certificate'],
  [
    'bundle.object-missing',
    'error creating CA: failed to get trust bundle secret: secrets "dapr-trust-bundle" not found',
  ],
  ['bundle.object-missing', 'configmaps dapr-trust-bundle not found'],
  ['bundle.object-missing', 'configmaps \\"dapr-trust-bundle\\" not found'],
  // Pasted without what Go writes behind it.
  ['certificate.outside-validity', 'x509: certificate has expired or is not yet valid'],
  [
    'certificate.outside-validity',
    'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  ],
  ['certificate.outside-validity', 'x509: certificate has expired or is not yet valid: current time'],
  ['dapr.not-installed', 'error checking mTLS: system configuration not found'],
  // tests/e2e of dapr/dapr: as it was once, and as it is.
  [
    'call.denied',
    'fail to invoke, id: callee, err: rpc error: code = PermissionDenied desc = access control policy has denied access to appid: caller operation: opDeny verb: POST',
  ],
  [
    'call.denied',
    '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: callee, err: rpc error: code = PermissionDenied desc = access control policy has denied access to id: spiffe://public/ns/dapr-tests/caller operation: opDeny verb: POST"}',
  ],
];

describe('the table of known lines', () => {
  test.each(knownLines)('$code explains its own example', ({ code, example, atLeast = 1 }) => {
    expect(codesOf(Array.from({ length: atLeast }, () => example))).toEqual([code]);
  });

  test.each(seen)('%s: %s', (code, line) => {
    expect(codesOf([line])).toEqual([code]);
  });

  test('what may have ended or not begun is told with the causes, checks and mends of both', () => {
    const of = (wanted: string) => knownLines.find(({ code }) => code === wanted);
    const both = of('certificate.outside-validity');
    const commands = (line = both) => [...(line?.checks ?? []), ...(line?.mends ?? [])].map(({ command }) => command);
    for (const one of ['certificate.expired', 'certificate.not-yet-valid'])
      expect(commands()).toEqual(expect.arrayContaining(commands(of(one))));
  });

  test('has no code twice, and for each a way to check it', () => {
    expect(new Set(knownLines.map(({ code }) => code)).size).toBe(knownLines.length);
    expect(knownLines.filter(({ checks }) => checks.length === 0)).toEqual([]);
  });
});

describe('a log', () => {
  const silence = 'level=info msg="Fetching initial identity certificate from dapr-sentry.dapr-system.svc:443"';

  test('a sidecar that waits for its identity is told of only while it waits', () => {
    expect(codesOf([silence])).toEqual(['identity.silence']);
    expect(codesOf([silence, 'level=info msg="Security is initialized successfully"'])).toEqual([]);
    expect(codesOf([silence, 'level=info msg="Security is initialized successfully"', silence])).toEqual([
      'identity.silence',
    ]);
  });

  test('renewals are a loop only when there are many', () => {
    const renewal = 'msg="Renewing workload cert; current cert expires on: 2026-11-22 01:02:28 +0000 UTC"';
    expect(codesOf(Array.from({ length: 19 }, () => renewal))).toEqual([]);
    expect(codesOf(Array.from({ length: 20 }, () => renewal))).toEqual(['leaf.hot-loop']);
  });

  test('each cause once, with its first line and how often it was seen', () => {
    const { lines, explanations } = explain([
      'nothing',
      'x509: certificate signed by unknown authority',
      '',
      'tls: unknown certificate authority',
    ]);
    expect(lines).toBe(4);
    expect(explanations.map(({ code, seen }) => [code, seen])).toEqual([
      ['peer.unknown-authority', { count: 2, firstLine: 2, sample: 'x509: certificate signed by unknown authority' }],
    ]);
  });

  test('a very long line is shown cut off', () => {
    const [first] = explain([`x509: certificate signed by unknown authority ${'x'.repeat(5000)}`]).explanations;
    expect(first?.seen.sample).toHaveLength(400);
  });

  test('of a self-hosted Dapr gets no command for clusters', () => {
    const commands = listKnownLines('/srv/certs')
      .explanations.flatMap(({ checks, mends }) => [...checks, ...mends])
      .flatMap(({ command }) => command ?? []);
    expect(commands).toContain('dapr-mtls check --dir /srv/certs');
    expect(commands.filter((command) => / -k\b|kubectl|helm|STORE|DIR/.test(command))).toEqual([]);
  });
});

describe('the message of a line', () => {
  test.each([
    ['time="t" level=info msg="a \\"b\\" c" scope=x', 'a "b" c'],
    ['level=info msg="broken \\x" scope=x', 'level=info msg="broken \\x" scope=x'],
    ['{"msg":"a","error":"b"}', 'a: b'],
    ['{"msg":"a"}', 'a'],
    ['{"msg":3}', '{"msg":3}'],
    ['{ not json', '{ not json'],
    ['bare', 'bare'],
  ])('%s', (line, message) => {
    expect(readMessage(line)).toBe(message);
  });
});
