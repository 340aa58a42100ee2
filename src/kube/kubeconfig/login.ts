import { X509Certificate } from 'node:crypto';
import { DaprMtlsError } from '../../errors.ts';
import type { ClientCertificate, Credentials } from './access.ts';
import { readCredentialFile } from './credential-file.ts';
import type { UserEntry } from './document.ts';
import { toHeaderValue } from './header-value.ts';

/**
 * How a user of a kubeconfig proves who it is, by what stands in the file itself. The data of a
 * field comes before the file that it names, and what a token file holds before a token.
 * @throws DaprMtlsError `cluster.credentials`, `cluster.kubeconfig`
 */
export function fixedCredentials(user: UserEntry | undefined, now: Date): Credentials {
  if (!user) return { current: () => ({}) };
  const certificate = readClientCertificate(user, now);
  if (user.tokenFile !== undefined) return tokenFileCredentials(user.tokenFile, user.token, certificate);
  const login = { certificate, authorization: user.token === undefined ? basic(user) : bearer(user.token) };
  return { current: () => login };
}

/** The token is read anew for each request: whoever writes it replaces it before it ends. */
export function tokenFileCredentials(file: string, fallback?: string, certificate?: ClientCertificate): Credentials {
  return { current: () => ({ certificate, authorization: bearer(readToken(file, fallback)) }) };
}

/** @throws DaprMtlsError `cluster.credentials` for what no header can hold */
export function bearer(token: string): string {
  return `Bearer ${toHeaderValue(token, 'the token')}`;
}

function basic({ username, password }: UserEntry): string | undefined {
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
}

function readToken(file: string, fallback: string | undefined): string {
  try {
    const token = readCredentialFile(file, 'tokenFile').toString('utf8').trim();
    if (token) return token;
  } catch (error) {
    if (fallback === undefined) throw error;
  }
  if (fallback !== undefined) return fallback;
  throw new DaprMtlsError('cluster.credentials', {
    message: `tokenFile names ${file}, which is empty`,
    hint: 'Have the token written there anew.',
  });
}

function readClientCertificate(user: UserEntry, now: Date): ClientCertificate | undefined {
  const certificate = user.clientCertificateData ?? read(user.clientCertificate, 'client-certificate');
  const key = user.clientKeyData ?? read(user.clientKey, 'client-key');
  if (!certificate && !key) return undefined;
  if (!certificate || !key) {
    const [missing, present] = certificate
      ? ['client-key', 'client-certificate']
      : ['client-certificate', 'client-key'];
    throw new DaprMtlsError('cluster.credentials', {
      message: `${user.file}: the user has a ${present} and no ${missing}`,
      hint: 'Both belong together: write the user anew with kubectl config set-credentials.',
    });
  }
  assertValid(certificate, now, user.file);
  return { certificate, key };
}

function read(path: string | undefined, field: string): Buffer | undefined {
  return path === undefined ? undefined : readCredentialFile(path, field);
}

/** An API server answers an expired certificate with 401 and no reason: so it is told here. */
export function assertValid(pem: Buffer, now: Date, file: string): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new DaprMtlsError('cluster.credentials', {
      message: `${file}: the client certificate is none that can be read`,
      hint: 'It has to be PEM, beginning with -----BEGIN CERTIFICATE-----.',
      cause,
    });
  }
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (from <= now && now <= to) return;
  const state = now > to ? `has expired at ${instant(to)}` : `is valid from ${instant(from)} only`;
  throw new DaprMtlsError('cluster.credentials', {
    message: `${file}: the client certificate ${state}`,
    hint: 'Get a new kubeconfig from your cluster (kubeadm: `kubeadm certs renew admin.conf`), or set the clock right.',
  });
}

function instant(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'a time that cannot be read' : date.toISOString().replace('.000Z', 'Z');
}
