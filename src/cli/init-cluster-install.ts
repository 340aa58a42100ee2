import { spawn } from 'node:child_process';
import type { ChartReport } from '../app/init-cluster/report.ts';
import { quotePosix } from '../app/shell-quote.ts';
import { DaprMtlsError, isSystemError } from '../errors.ts';
import { findOther, hopVariable } from './hand-over.ts';
import { withoutSecrets } from './helm/run-helm.ts';
import { type ChartWish, helmArguments, officialArguments, releaseName } from './init-cluster-chart.ts';
import { ownDapr } from './package-files.ts';
import { Interrupted } from './stop.ts';

/** A program that can install the chart, and what it is told. */
export interface Installer extends ChartReport {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The official `dapr` where one is on the PATH, else helm. The official one knows the current context
 * alone and no chart of somebody else's, so that it is passed over where one of these is named.
 * @param home the folder of this package: its own `dapr` is no other
 * @throws DaprMtlsError `usage.invalid` for what helm cannot do
 */
export function chooseInstaller(wish: ChartWish, env: NodeJS.ProcessEnv, home: string): Installer {
  const official = wish.context === undefined && !wish.flags['helm-chart'] ? findOfficial(env, home) : undefined;
  if (official === undefined) {
    const args = helmArguments(wish, env);
    return { by: 'helm', path: 'helm', args, env, command: commandOf('helm', args) };
  }
  const args = officialArguments(wish);
  const { DAPR_RUNTIME_PATH: _selfHosted, ...rest } = env;
  const kubeconfig = wish.kubeconfig === undefined ? {} : { KUBECONFIG: wish.kubeconfig };
  const prefix = wish.kubeconfig === undefined ? '' : `KUBECONFIG=${quotePosix(wish.kubeconfig)} `;
  return {
    by: 'dapr',
    path: official,
    args,
    env: { ...rest, ...kubeconfig, [hopVariable]: '1' },
    command: `${prefix}${commandOf(official, args)}`,
  };
}

function findOfficial(env: NodeJS.ProcessEnv, home: string): string | undefined {
  try {
    return findOther(env, ownDapr(home));
  } catch (error) {
    if (error instanceof DaprMtlsError && error.code === 'usage.hand-over') return undefined;
    throw error;
  }
}

/** As people would type it. */
export function commandOf(program: string, args: readonly string[]): string {
  return [program, ...args].map(quotePosix).join(' ');
}

const outputLimit = 256 * 1024;

/**
 * Installs the chart and returns what the program said. Signals are passed on to it, and the end of
 * it is awaited: an installation that is cut off leaves a release that has to be mended.
 * @throws DaprMtlsError `tool.missing`, `helm.failed`
 * @throws Interrupted
 */
export function installChart({ by, path, args, env, command }: Installer, namespace: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received: 'SIGINT' | 'SIGTERM' | undefined;
    const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const passOn = (signal: 'SIGINT' | 'SIGTERM') => {
      received = signal;
      child.kill(signal);
    };
    process.on('SIGINT', passOn).on('SIGTERM', passOn);
    const chunks: Buffer[] = [];
    let length = 0;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        if (length < outputLimit) chunks.push(chunk);
        length += chunk.length;
      });
    }
    const end = () => process.off('SIGINT', passOn).off('SIGTERM', passOn);
    child.once('error', (cause) => {
      end();
      reject(cannotStart(cause, by, command));
    });
    child.once('close', (code, signal) => {
      end();
      const said = withoutSecrets(Buffer.concat(chunks).toString('utf8')).trim();
      if (code === 0) resolve(said);
      else if (received) reject(cutOff(received, namespace));
      else reject(failed(by, signal ? `ended by ${signal}` : `exit code ${code}`, said, namespace));
    });
  });
}

function cannotStart(cause: Error, by: Installer['by'], command: string): DaprMtlsError {
  const isMissing = isSystemError(cause) && cause.code === 'ENOENT';
  return new DaprMtlsError('tool.missing', {
    message: isMissing
      ? 'the bundle is laid, and neither the official dapr nor helm is on the PATH to install the chart on it'
      : `the bundle is laid, and ${by} could not be started to install the chart on it: ${cause.message}`,
    hint: `Type this where helm is; the chart takes the bundle over as it is:\n${command}`,
    cause,
  });
}

function failed(by: Installer['by'], how: string, said: string, namespace: string): DaprMtlsError {
  return new DaprMtlsError('helm.failed', {
    message: `the bundle is laid, and ${by} did not install the chart on it (${how})${said ? `: ${said}` : ''}`,
    hint: `Mend what it says. See whether there is a release now: \`helm status ${releaseName} -n ${namespace}\`. If not, run this command again, which keeps the bundle; if so, finish it with \`helm upgrade --install\`.`,
  });
}

function cutOff(signal: 'SIGINT' | 'SIGTERM', namespace: string): Interrupted {
  return new Interrupted(signal, {
    message: 'the bundle is laid, and the installation of the chart was cut off',
    hint: `See how far it came: \`helm status ${releaseName} -n ${namespace}\`. Without a release run this command again, which keeps the bundle.`,
  });
}
