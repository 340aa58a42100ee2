import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { anonymous, type UserRules } from './access.ts';
import { issueLeaf, makeAuthority } from './certificates.ts';
import type { Credentials } from './kubeconfig.ts';

export type Login = 'certificate' | 'expired-certificate' | 'foreign-certificate' | 'token' | 'wrong-token' | 'none';

/** The users of a server, and the authorities that their certificates and its own come from. */
export function openIdentities(given: Readonly<Record<string, UserRules>>) {
  const users = new Map(Object.entries(given));
  const authority = makeAuthority('tests');
  // Of its own, or OpenSSL would send the server's authority along with its certificate.
  const clients = makeAuthority('clients');
  const strangers = makeAuthority('strangers');
  const tokenOf = (user: string) => `token-of-${user}`;

  return {
    users,
    authority,
    clients,
    strangers,
    tokenOf,
    credentials(user: string, login: Login): Credentials {
      const certificate = (signer = clients, notAfter?: Date): Credentials => ({
        kind: 'certificate',
        pair: issueLeaf(signer, user, { purpose: 'client', ...(notAfter ? { notAfter } : {}) }),
      });
      switch (login) {
        case 'certificate':
          return certificate();
        case 'expired-certificate':
          return certificate(clients, new Date(Date.now() - 60_000));
        case 'foreign-certificate':
          return certificate(strangers);
        case 'token':
          return { kind: 'token', token: tokenOf(user) };
        case 'wrong-token':
          return { kind: 'token', token: 'nobody-has-this-one' };
        case 'none':
          return { kind: 'none' };
      }
    },
    /** Undefined for credentials that prove nothing (401); none at all make one anonymous (403). */
    authenticate({ headers, socket }: IncomingMessage): string | undefined {
      if (headers.authorization !== undefined) {
        return [...users.keys()].find((user) => headers.authorization === `Bearer ${tokenOf(user)}`);
      }
      const tls = socket as TLSSocket;
      const certificate = tls.getPeerCertificate();
      if (!certificate?.subject) return anonymous;
      return tls.authorized ? [certificate.subject.CN].flat()[0] : undefined;
    },
  };
}

export type Identities = ReturnType<typeof openIdentities>;
