import { readFileSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import type {
  AuthProviderEntry,
  ClusterEntry,
  ContextEntry,
  ExecEntry,
  Impersonation,
  KubeconfigDocument,
  UserEntry,
} from './document.ts';
import { fieldsOf, malformed, mappingOf, type Place, textOf } from './fields.ts';
import { readPlainYaml } from './plain-yaml.ts';

/**
 * Undefined where there is no such file.
 * @throws DaprMtlsError `cluster.kubeconfig`, naming the file, and the line where YAML is broken
 */
export async function readKubeconfig(file: string): Promise<KubeconfigDocument | undefined> {
  const text = readText(file);
  return text === undefined ? undefined : readDocument(await parse(text, file), file);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT') return undefined;
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `the kubeconfig ${file} cannot be read (${error.code})`,
      hint: `See who may read it: ls -l ${file}`,
      cause: error,
    });
  }
}

async function parse(text: string, file: string): Promise<unknown> {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text);
    } catch {
      // A flow mapping of YAML begins alike, and its reader knows the line of a mistake.
    }
  }
  const plain = readPlainYaml(text);
  if (plain !== undefined) return plain;
  const { parseYaml } = await import('./parse-yaml.ts');
  try {
    return parseYaml(text);
  } catch (error) {
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `the kubeconfig ${file} is neither YAML nor JSON: ${(error as Error).message}`,
      hint: 'Mend that line, or write the file anew as you got it from your cluster.',
    });
  }
}

/** Relative paths start at the folder of the file, as kubectl has it. */
function readDocument(value: unknown, file: string): KubeconfigDocument {
  const fields = fieldsOf(value, { file, field: '' });
  const fromHere = (path: string | undefined) => path && resolve(dirname(file), path);
  return {
    currentContext: fields.text('current-context') ?? '',
    clusters: readEntries(fields.list('clusters'), 'clusters', 'cluster', file, (entry, place) =>
      readCluster(entry, place, fromHere),
    ),
    users: readEntries(fields.list('users'), 'users', 'user', file, (entry, place) => readUser(entry, place, fromHere)),
    contexts: readEntries(fields.list('contexts'), 'contexts', 'context', file, readContext),
  };
}

/** A list of `{name, <kind>}`. */
function readEntries<Entry>(
  items: readonly unknown[],
  list: string,
  kind: string,
  file: string,
  read: (value: unknown, place: Place) => Entry,
): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  items.forEach((item, index) => {
    const fields = fieldsOf(item, { file, field: `${list}[${index}]` });
    const name = fields.text('name') ?? '';
    if (entries.has(name)) throw malformed(fields.at('name'), `stands twice: "${name}"`, 'Remove one of the two.');
    entries.set(name, read(fields.raw(kind), fields.at(kind)));
  });
  return entries;
}

type FromHere = (path: string | undefined) => string | undefined;

function readCluster(value: unknown, place: Place, fromHere: FromHere): ClusterEntry {
  const fields = fieldsOf(value, place);
  return {
    file: place.file,
    server: fields.text('server') ?? '',
    tlsServerName: fields.text('tls-server-name'),
    insecureSkipTlsVerify: fields.flag('insecure-skip-tls-verify'),
    certificateAuthority: fromHere(fields.text('certificate-authority')),
    certificateAuthorityData: fields.data('certificate-authority-data'),
    proxyUrl: fields.text('proxy-url'),
    execConfig: readExtension(fields.list('extensions'), 'client.authentication.k8s.io/exec', fields.at('extensions')),
  };
}

function readExtension(items: readonly unknown[], name: string, place: Place): unknown {
  const found = items.map((item) => mappingOf(item, place)).find((item) => item.name === name);
  return found?.extension;
}

function readUser(value: unknown, place: Place, fromHere: FromHere): UserEntry {
  const fields = fieldsOf(value, place);
  return {
    file: place.file,
    clientCertificate: fromHere(fields.text('client-certificate')),
    clientCertificateData: fields.data('client-certificate-data'),
    clientKey: fromHere(fields.text('client-key')),
    clientKeyData: fields.data('client-key-data'),
    token: fields.text('token'),
    tokenFile: fromHere(fields.text('tokenFile')),
    username: fields.text('username'),
    password: fields.text('password'),
    impersonate: readImpersonation(fields),
    exec: fields.raw('exec') === undefined ? undefined : readExec(fields.raw('exec'), fields.at('exec'), fromHere),
    authProvider:
      fields.raw('auth-provider') === undefined
        ? undefined
        : readAuthProvider(fields.raw('auth-provider'), fields.at('auth-provider')),
  };
}

function readImpersonation(fields: ReturnType<typeof fieldsOf>): Impersonation {
  const extra = Object.entries(fields.mapping('as-user-extra')).map(([key, values]) => {
    const place = fields.at(`as-user-extra.${key}`);
    if (!Array.isArray(values)) throw malformed(place, 'is not a list');
    return [key, values.map((value) => textOf(value, place))] as const;
  });
  return {
    user: fields.text('as'),
    uid: fields.text('as-uid'),
    groups: fields.texts('as-groups'),
    extra: Object.fromEntries(extra),
  };
}

/** A command without a slash is looked for on the PATH. */
function readExec(value: unknown, place: Place, fromHere: FromHere): ExecEntry {
  const fields = fieldsOf(value, place);
  const command = fields.text('command');
  if (command === undefined) throw malformed(fields.at('command'), 'is missing', 'Name the login program there.');
  const env = fields.list('env').map((item, index) => {
    const variable = fieldsOf(item, { file: place.file, field: `${fields.at('env').field}[${index}]` });
    return [variable.text('name') ?? '', variable.text('value') ?? ''] as const;
  });
  return {
    apiVersion: fields.text('apiVersion') ?? '',
    command: command.includes(sep) ? (fromHere(command) ?? command) : command,
    args: fields.texts('args'),
    env: Object.fromEntries(env),
    installHint: fields.text('installHint'),
    provideClusterInfo: fields.flag('provideClusterInfo'),
    interactiveMode: fields.text('interactiveMode'),
  };
}

function readAuthProvider(value: unknown, place: Place): AuthProviderEntry {
  const fields = fieldsOf(value, place);
  const config = Object.entries(fields.mapping('config')).map(
    ([key, setting]) => [key, textOf(setting ?? '', fields.at(`config.${key}`))] as const,
  );
  return { name: fields.text('name') ?? '', config: Object.fromEntries(config) };
}

function readContext(value: unknown, place: Place): ContextEntry {
  const fields = fieldsOf(value, place);
  return {
    file: place.file,
    cluster: fields.text('cluster') ?? '',
    user: fields.text('user') ?? '',
    namespace: fields.text('namespace'),
  };
}
