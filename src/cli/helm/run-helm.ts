import { spawn } from 'node:child_process';
import { DaprMtlsError, isSystemError } from '../../errors.ts';

export interface HelmRun {
  readonly env: NodeJS.ProcessEnv;
  /** What it reads on standard input. */
  readonly input: string;
  /** The command to type instead, for who has helm elsewhere. */
  readonly byHand: string;
}

const outputLimit = 32 * 1024 * 1024;

/**
 * Runs helm and returns what it prints. It runs in a process group of its own where there are such:
 * a Ctrl-C is for us to hear, and an upgrade that has begun is carried to its end.
 * @throws DaprMtlsError `tool.missing`, `helm.failed`
 */
export function runHelm(args: readonly string[], { env, input, byHand }: HelmRun): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('helm', args, { env, detached: process.platform !== 'win32', windowsHide: true });
    const output = gather(child.stdout, outputLimit);
    const errors = gather(child.stderr, 64 * 1024);
    child.once('error', (cause) => reject(cannotStart(cause, byHand)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output());
      else reject(failed(signal ? `ended by ${signal}` : `exit code ${code}`, errors(), byHand));
    });
    // A helm that ends before it has read everything says why on its own.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function gather(stream: NodeJS.ReadableStream, limit: number): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < limit) chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function cannotStart(cause: Error, byHand: string): DaprMtlsError {
  const isMissing = isSystemError(cause) && cause.code === 'ENOENT';
  return new DaprMtlsError('tool.missing', {
    message: isMissing ? 'helm is not on the PATH' : `helm could not be started: ${cause.message}`,
    hint: `Install Helm 3.13 or later, or type it where it is: ${byHand}`,
    cause,
  });
}

function failed(how: string, errors: string, byHand: string): DaprMtlsError {
  const words = withoutSecrets(errors).trim();
  return new DaprMtlsError('helm.failed', {
    message: `helm did not succeed (${how})${words ? `: ${words}` : ''}`,
    hint: `See for yourself what is wrong: ${byHand}`,
  });
}

const shownLength = 2000;

/**
 * The API server's answer about a Secret, which helm passes on, may quote the whole of it: PEM and
 * runs of base64 are cut out of what helm says.
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(/-----BEGIN [^-]*-----[\s\S]*?(-----END [^-]*-----|$)/g, '(PEM)')
    .replace(/[A-Za-z0-9+/=]{24,}/g, '(...)')
    .slice(0, shownLength);
}
