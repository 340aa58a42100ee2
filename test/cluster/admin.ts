import { spawn } from 'node:child_process';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Identity } from './authority.ts';

/** An object of Kubernetes, as JSON has it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every kind
export type KubeJson = Record<string, any>;

/** What may do everything in the cluster, to arrange what a test needs and to see what became of it. */
export interface Admin {
  /** Runs kubectl and returns what it prints. @throws Error with its standard error */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Server-side apply of all objects, in their order, as `fieldManager` (kubectl's own unless told). */
  apply(objects: readonly object[], fieldManager?: string): Promise<void>;
  /** One object; undefined where there is none. */
  get(kind: string, name: string, namespace?: string): Promise<KubeJson | undefined>;
  /** All objects of a kind: in a namespace, or everywhere. */
  list(kind: string, namespace?: string, labels?: string): Promise<readonly KubeJson[]>;
  /** One request over a connection that is kept: much quicker than kubectl. */
  request(method: string, path: string, body?: object, contentType?: string): Promise<Answer>;
  close(): void;
}

export interface Answer {
  readonly status: number;
  readonly body: KubeJson;
}

export interface AdminAccess {
  readonly server: string;
  readonly caCertificate: string;
  readonly identity: Identity;
  /** Path of the kubeconfig for kubectl. */
  readonly kubeconfig: string;
  /** Path of the program kubectl. */
  readonly kubectl: string;
  /** Where kubectl keeps its caches. */
  readonly folder: string;
}

export function openAdmin({ server, caCertificate, identity, ...paths }: AdminAccess): Admin {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 16,
    ca: caCertificate,
    cert: identity.certificate,
    key: identity.key,
  });
  const env = clusterEnv(paths.kubeconfig, paths.folder);
  const kubectl = (args: readonly string[], input?: string) => runProgram(paths.kubectl, args, env, input);
  const find = async (args: readonly string[]): Promise<KubeJson | undefined> => {
    const found = await kubectl(['get', '--ignore-not-found', '-o', 'json', ...args]);
    return found === '' ? undefined : (JSON.parse(found) as KubeJson);
  };
  return {
    kubectl,
    apply: async (objects, fieldManager = 'kubectl') => {
      if (objects.length === 0) return;
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
      const flags = ['--server-side', '--force-conflicts', `--field-manager=${fieldManager}`];
      await kubectl(['apply', ...flags, '-f', '-'], list);
    },
    get: (kind, name, namespace) => find([kind, name, ...(namespace === undefined ? [] : ['-n', namespace])]),
    list: async (kind, namespace, labels) => {
      const where = namespace === undefined ? ['-A'] : ['-n', namespace];
      const list = await find([kind, ...where, ...(labels === undefined ? [] : ['-l', labels])]);
      return (list?.items ?? []) as KubeJson[];
    },
    request: (method, path, body, contentType = 'application/json') =>
      ask(agent, `${server}${path}`, method, body, contentType),
    close: () => agent.destroy(),
  };
}

/** Is the object's condition Ready true? */
export function isReady(object: KubeJson): boolean {
  const conditions = (object.status?.conditions ?? []) as readonly KubeJson[];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** The environment of kubectl and helm: nothing of the tests' own, caches in the cluster's folder. */
export function clusterEnv(kubeconfig: string, folder: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: folder, KUBECONFIG: kubeconfig };
}

/** Runs a program to its end and returns its standard output. @throws Error with its standard error */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<string> {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  // A program that stops reading says why on stderr; EPIPE would hide it.
  child.stdin.on('error', () => undefined).end(input);
  const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${errors}${output}`);
  return output;
}

function ask(agent: Agent, url: string, method: string, body: object | undefined, contentType: string) {
  return new Promise<Answer>((resolve, reject) => {
    const headers = { accept: 'application/json', 'content-type': contentType };
    const sent = request(url, { agent, method, headers, timeout: 30_000 }, (response) => {
      text(response).then((answer) => {
        const isJson = response.headers['content-type']?.includes('json') ?? false;
        resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(answer) : { text: answer } });
      }, reject);
    });
    sent.once('timeout', () => sent.destroy(new Error(`${method} ${url}: no answer`)));
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
