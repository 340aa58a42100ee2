import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/directory.ts';

/** The flags by which kube-apiserver writes down who asked for what, and what came of it. */
export interface RequestLog {
  readonly flags: readonly string[];
  /** Each once, by an account of a namespace: what was allowed, and what was not. */
  read(account: string): { readonly allowed: readonly string[]; readonly refused: readonly string[] };
}

interface LoggedRequest {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly namespace?: string; readonly apiGroup?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** For the service accounts of a namespace. */
export function openRequestLog(namespace: string): RequestLog {
  const folder = temporaryDirectory('request-log');
  const [policy, log] = [join(folder, 'policy.json'), join(folder, 'requests.log')];
  const rules = [{ level: 'Metadata', userGroups: [`system:serviceaccounts:${namespace}`] }, { level: 'None' }];
  writeFileSync(
    policy,
    JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules }),
  );
  return {
    flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`],
    read: (account) => {
      const username = `system:serviceaccount:${namespace}:${account}`;
      const requests = readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LoggedRequest)
        .filter(({ user }) => user.username === username);
      const told = (decision: string) => [
        ...new Set(
          requests
            .filter(({ annotations }) => annotations?.['authorization.k8s.io/decision'] === decision)
            .flatMap(({ verb, objectRef }) => (objectRef ? [`${verb} ${objectRef.resource}`] : []))
            .sort(),
        ),
      ];
      return { allowed: told('allow'), refused: told('forbid') };
    },
  };
}
