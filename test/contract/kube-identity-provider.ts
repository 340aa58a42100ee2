import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueLeaf, makeAuthority } from '../support/api-server/certificates.ts';

export interface IdentityProvider {
  readonly url: string;
  readonly caPem: string;
  /** What was posted to the token endpoint. */
  readonly forms: readonly Readonly<Record<string, string>>[];
  /** The id-tokens that it gave. */
  readonly given: readonly string[];
  idToken(endsAtMs: number): string;
  /** From now on every refresh-token is refused. */
  refuse(): void;
  stop(): Promise<void>;
}

const hourMs = 3_600_000;

/** OpenID Connect as far as a refresh goes: discovery, and a token endpoint that uses up refresh-tokens. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  const authority = makeAuthority('identities');
  const pair = issueLeaf(authority, 'idp', { purpose: 'server', hosts: ['127.0.0.1'] });
  const forms: Record<string, string>[] = [];
  const given: string[] = [];
  let isRefusing = false;
  let address = '';

  const server = createServer({ cert: pair.certificatePem, key: pair.keyPem }, (request, response) => {
    if (request.url === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: address, token_endpoint: `${address}/token` }));
      return;
    }
    readForm(request).then((form) => {
      forms.push(form);
      const isKnown = form.refresh_token === `refresh-${given.length + 1}`;
      if (isRefusing || !isKnown) {
        response.writeHead(400).end(JSON.stringify({ error: 'invalid_grant', hint: form.refresh_token }));
        return;
      }
      given.push(idToken(Date.now() + hourMs));
      response.end(JSON.stringify({ id_token: given.at(-1), refresh_token: `refresh-${given.length + 1}` }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: address,
    caPem: authority.certificatePem,
    forms,
    given,
    idToken,
    refuse: () => {
      isRefusing = true;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function idToken(endsAtMs: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: Math.floor(endsAtMs / 1000), jti: Math.random() })}.x`;
}

async function readForm(request: IncomingMessage): Promise<Record<string, string>> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return Object.fromEntries(new URLSearchParams(body));
}
