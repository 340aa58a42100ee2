import { request } from 'node:https';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import { proxyFor } from './proxy.ts';

interface Question {
  readonly ca: Buffer | undefined;
  /** Sent as a POST where it is given. */
  readonly form?: Readonly<Record<string, string>>;
}

const timeoutMs = 10_000;
const longestAnswer = 1024 * 1024;

/**
 * Asks an OpenID provider for one JSON document. What it answers is in no error: it may be a token.
 * @throws DaprMtlsError `cluster.credentials`
 */
export async function askJson(
  address: string,
  { ca, form }: Question,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, unknown>>> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:') throw failed(address, 'is no https address');
  const body = form && new URLSearchParams(form).toString();
  const proxy = proxyFor(url, undefined, env);
  const agent = proxy && (await import('../client/proxy-agent.ts')).proxyAgent(proxy);
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          Accept: 'application/json',
          ...(body !== undefined && {
            'Content-Type': 'application/x-www-form-urlencoded',
            'Content-Length': Buffer.byteLength(body),
          }),
        },
        signal: AbortSignal.timeout(timeoutMs),
        ...(ca && { ca }),
        ...(agent && { agent }),
      },
      (message) => {
        let received = '';
        message.setEncoding('utf8');
        message.on('data', (chunk: string) => {
          received += chunk;
          if (received.length > longestAnswer) message.destroy(new Error('too long'));
        });
        message.on('end', () => resolve({ status: message.statusCode ?? 0, text: received }));
        message.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  }).catch((error: unknown) => {
    const code = isSystemError(error) ? error.code : (error as Error).message;
    throw failed(
      url.origin,
      code === 'ABORT_ERR' ? `did not answer within ${timeoutMs / 1000} s` : `cannot be reached (${code})`,
    );
  });
  if (status !== 200) throw failed(url.origin, `answered ${status}`);
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw failed(url.origin, 'did not answer in JSON');
  }
}

function failed(address: string, how: string): DaprMtlsError {
  return new DaprMtlsError('cluster.credentials', {
    message: `the identity provider ${address} ${how}`,
    hint: 'Log in anew by the program that wrote this kubeconfig; see idp-issuer-url and idp-certificate-authority in it.',
  });
}
