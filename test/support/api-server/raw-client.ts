import { Agent, type RequestOptions, request } from 'node:https';
import { gunzipSync } from 'node:zlib';

/** An API server and a way in: the tests' own, or a real one. */
export interface ServerTarget {
  readonly server: string;
  readonly ca: string;
  /** The token of a user who may do everything. */
  readonly token: string;
  /** The token of a user who may do nothing. */
  readonly strangerToken: string;
}

export interface RawRequest {
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Another token, or none at all. */
  readonly token?: string | null;
}

export interface RawAnswer {
  readonly code: number;
  readonly type: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared, not worked with
  readonly json: any;
}

/** Requests as they are, without retries or understanding: what a server is held to. */
export interface RawClient {
  send(method: string, path: string, wishes?: RawRequest): Promise<RawAnswer>;
  close(): void;
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

export function patchHeaders(type: keyof typeof patchTypes): Record<string, string> {
  return { 'content-type': patchTypes[type] };
}

export function openRawClient({ server, ca, token: ownToken }: ServerTarget): RawClient {
  const agent = new Agent({ keepAlive: true, ca });
  return {
    send: (method, path, { body, headers = {}, token = ownToken } = {}) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const options: RequestOptions = {
        method,
        agent,
        headers: {
          'user-agent': 'dapr-mtls-tests/1',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      };
      return new Promise((resolve, reject) => {
        const outgoing = request(`${server}${path}`, options, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const raw = Buffer.concat(chunks);
            const bytes = response.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
            const type = String(response.headers['content-type'] ?? '').split(';')[0] ?? '';
            const isWatch = path.includes('watch=true') && response.statusCode === 200;
            const json = type === 'application/json' ? readJson(bytes, isWatch) : undefined;
            resolve({ code: response.statusCode ?? 0, type, headers: response.headers, bytes, json });
          });
        });
        outgoing.on('error', reject).end(text);
      });
    },
    close: () => agent.destroy(),
  };
}

/** One document, or, of a watch, the list of its events. */
function readJson(bytes: Buffer, isWatch: boolean): unknown {
  const lines = isWatch ? bytes.toString().split('\n').filter(Boolean) : [];
  return isWatch ? lines.map((line) => JSON.parse(line)) : JSON.parse(bytes.toString());
}
