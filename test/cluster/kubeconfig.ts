import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Identity } from './authority.ts';

export type Credentials = Identity | { readonly token: string };

export interface Access {
  readonly server: string;
  readonly caCertificate: string;
  readonly user: string;
  readonly credentials: Credentials;
}

/** Writes a kubeconfig with one context, `test`, as `kubectl config view --raw --flatten` would show it. */
export function writeKubeconfig(file: string, { server, caCertificate, user, credentials }: Access): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(caCertificate) } }],
    users: [
      {
        name: user,
        user:
          'token' in credentials
            ? { token: credentials.token }
            : {
                'client-certificate-data': base64(credentials.certificate),
                'client-key-data': base64(credentials.key),
              },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
  };
  writeFileSync(file, stringify(config, { lineWidth: 0 }), { mode: 0o600 });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
