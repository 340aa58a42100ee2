import { stringify } from 'yaml';
import type { KeyPair } from './certificates.ts';

/** How a user of a kubeconfig logs in. */
export type Credentials =
  | { readonly kind: 'certificate'; readonly pair: KeyPair }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' };

export interface KubeconfigContents {
  readonly server: string;
  /** Undefined: none, so that the system's authorities count. */
  readonly caPem: string | undefined;
  readonly insecure: boolean;
  readonly user: string;
  readonly credentials: Credentials;
  readonly context: string;
  readonly namespace: string | undefined;
}

/** The YAML that kubectl and this program read, everything in it base64 as `kind` and clouds write it. */
export function writeKubeconfig(contents: KubeconfigContents): string {
  const { server, caPem, insecure, user, credentials, context, namespace } = contents;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [
      {
        name: 'tests',
        cluster: {
          server,
          ...(caPem === undefined ? {} : { 'certificate-authority-data': base64(caPem) }),
          ...(insecure ? { 'insecure-skip-tls-verify': true } : {}),
        },
      },
    ],
    users: [{ name: user, user: describeCredentials(credentials) }],
    contexts: [{ name: context, context: { cluster: 'tests', user, ...(namespace ? { namespace } : {}) } }],
  });
}

function describeCredentials(credentials: Credentials): Record<string, string> {
  switch (credentials.kind) {
    case 'certificate':
      return {
        'client-certificate-data': base64(credentials.pair.certificatePem),
        'client-key-data': base64(credentials.pair.keyPem),
      };
    case 'token':
      return { token: credentials.token };
    case 'none':
      return {};
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
