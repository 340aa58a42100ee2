import { spawn } from 'node:child_process';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import type { ClientCertificate, Credentials, Login } from './access.ts';
import type { ExecEntry } from './document.ts';
import { assertValid, bearer } from './login.ts';
import { renewableCredentials } from './renewable.ts';
import type { Surroundings } from './surroundings.ts';

/** What a login program is told about the cluster, where its entry asks for that. */
export interface ExecCluster {
  readonly server: string;
  readonly 'tls-server-name'?: string | undefined;
  readonly 'insecure-skip-tls-verify'?: boolean | undefined;
  /** Base64 of PEM. */
  readonly 'certificate-authority-data'?: string | undefined;
  readonly 'proxy-url'?: string | undefined;
  readonly config?: unknown;
}

/**
 * A login by a program, as `client.authentication.k8s.io` v1 and v1beta1 have it. It is run at the
 * first request, when what it gave has expired, and once more after a 401.
 * @throws DaprMtlsError `cluster.kubeconfig` for an entry that no kubectl takes
 */
export function execCredentials(
  exec: ExecEntry,
  file: string,
  cluster: ExecCluster,
  surroundings: Surroundings,
): Credentials {
  assertKnown(exec, file);
  return renewableCredentials(
    () => runPlugin(exec, cluster, surroundings),
    ({ endsAt }) => endsAt !== undefined && endsAt <= surroundings.now(),
  );
}

interface ExecLogin extends Login {
  readonly endsAt: Date | undefined;
}

const apiVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const interactiveModes = ['Never', 'IfAvailable', 'Always'];

function assertKnown({ apiVersion, command, interactiveMode }: ExecEntry, file: string): void {
  if (!apiVersions.includes(apiVersion)) {
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `${file}: exec of ${command} has the apiVersion "${apiVersion}"`,
      hint: `kubectl knows ${apiVersions.join(' and ')}: bring the login program up to date and get the kubeconfig anew.`,
    });
  }
  const isFree = interactiveMode === undefined && apiVersion === apiVersions[1];
  if (isFree || (interactiveMode !== undefined && interactiveModes.includes(interactiveMode))) return;
  throw new DaprMtlsError('cluster.kubeconfig', {
    message: `${file}: exec of ${command} has ${interactiveMode === undefined ? 'no interactiveMode' : `the interactiveMode "${interactiveMode}"`}`,
    hint: `Set it to one of ${interactiveModes.join(', ')}.`,
  });
}

async function runPlugin(exec: ExecEntry, cluster: ExecCluster, surroundings: Surroundings): Promise<ExecLogin> {
  const isInteractive = mayAsk(exec, surroundings);
  const info = {
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion,
    spec: { ...(exec.provideClusterInfo && { cluster }), interactive: isInteractive },
  };
  const env = { ...surroundings.env, ...exec.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const { code, stdout, stderr } = await run(exec, env, isInteractive);
  if (code !== 0) throw failed(exec, `ended with ${code}`, stderr);
  return readCredential(exec, stdout, surroundings.now());
}

function mayAsk({ command, interactiveMode = 'IfAvailable' }: ExecEntry, { isInteractive }: Surroundings): boolean {
  if (interactiveMode === 'Never') return false;
  if (isInteractive()) return true;
  if (interactiveMode === 'IfAvailable') return false;
  throw new DaprMtlsError('cluster.credentials', {
    message: `the login program ${command} asks its user, and standard input is no terminal`,
    hint: 'Run this in a terminal, or use a kubeconfig whose login needs nobody.',
  });
}

interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

const longestOutput = 1024 * 1024;
const longestComplaint = 2_000;

/** Whom it asks must see the question at once; otherwise its complaints are kept for the error. */
function run(exec: ExecEntry, env: NodeJS.ProcessEnv, isInteractive: boolean): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(exec.command, exec.args, {
      env,
      stdio: [isInteractive ? 'inherit' : 'ignore', 'pipe', isInteractive ? 'inherit' : 'pipe'],
      windowsHide: true,
    });
    const stdout: Buffer[] = [];
    let stderr = '';
    let length = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > longestOutput) child.kill();
      else stdout.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-longestComplaint);
    });
    child.once('error', (error) => reject(notStarted(exec, error)));
    child.once('close', (code, signal) =>
      resolve({ code: code ?? signal ?? 'a signal', stdout: Buffer.concat(stdout).toString('utf8'), stderr }),
    );
  });
}

function notStarted({ command, installHint }: ExecEntry, error: Error): DaprMtlsError {
  const code = isSystemError(error) ? error.code : 'unknown';
  return new DaprMtlsError('cluster.credentials', {
    message:
      code === 'ENOENT'
        ? `the kubeconfig logs in by the program ${command}, which is not installed or not on the PATH`
        : `the kubeconfig's login program ${command} cannot be run (${code})`,
    hint: installHint?.trim() ?? 'Install it as your cluster has it, and put it on the PATH.',
    cause: error,
  });
}

function failed({ command, installHint }: ExecEntry, how: string, stderr = ''): DaprMtlsError {
  const said = stderr.trim();
  return new DaprMtlsError('cluster.credentials', {
    message: `the kubeconfig's login program ${command} ${how}${said && `; it said:\n${said}`}`,
    hint: installHint?.trim() || `Log in as your cluster has it, then see whether it works by itself: ${command}`,
  });
}

interface ExecCredential {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
  readonly status?: {
    readonly token?: unknown;
    readonly expirationTimestamp?: unknown;
    readonly clientCertificateData?: unknown;
    readonly clientKeyData?: unknown;
  };
}

/** Its output is shown in no error: it holds the login. */
function readCredential(exec: ExecEntry, stdout: string, now: Date): ExecLogin {
  const { kind, apiVersion, status } = parse(exec, stdout);
  if (kind !== 'ExecCredential' || apiVersion !== exec.apiVersion)
    throw failed(exec, `did not answer with an ExecCredential of ${exec.apiVersion}`);
  const token = typeof status?.token === 'string' && status.token ? status.token : undefined;
  const certificate = readPair(exec, status?.clientCertificateData, status?.clientKeyData);
  if (token === undefined && !certificate) throw failed(exec, 'gave neither a token nor a certificate with its key');
  if (certificate) assertValid(certificate.certificate, now, `the login program ${exec.command}`);
  return {
    authorization: token === undefined ? undefined : bearer(token),
    certificate,
    endsAt: readEnd(exec, status?.expirationTimestamp),
  };
}

function parse(exec: ExecEntry, stdout: string): ExecCredential {
  try {
    return (JSON.parse(stdout) as ExecCredential | null) ?? {};
  } catch {
    throw failed(exec, 'did not answer in JSON');
  }
}

function readPair(exec: ExecEntry, certificate: unknown, key: unknown): ClientCertificate | undefined {
  if (!certificate && !key) return undefined;
  if (typeof certificate !== 'string' || typeof key !== 'string' || !certificate || !key)
    throw failed(exec, 'gave a certificate without its key, or a key without its certificate');
  return { certificate: Buffer.from(certificate), key: Buffer.from(key) };
}

function readEnd(exec: ExecEntry, timestamp: unknown): Date | undefined {
  if (timestamp === undefined || timestamp === null) return undefined;
  const end = new Date(String(timestamp));
  if (!Number.isNaN(end.getTime())) return end;
  throw failed(exec, 'gave an expirationTimestamp that is none');
}
