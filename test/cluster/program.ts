import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { copyProgram, type Outcome, type Run, startProcess } from '../support/program.ts';

/** The built program under its documented name, on one cluster. */
export interface Dapr {
  /** The folder in which lines run: what they name without a path lies there. */
  readonly folder: string;
  /** Runs `dapr mtls -k` and the like; no word may hold a space. */
  run(line: string, options?: LineOptions): Promise<Outcome>;
  start(line: string, options?: LineOptions): Run;
}

export interface LineOptions {
  /** Another user's; the one that may do everything unless told. */
  readonly kubeconfig?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** No Sentry runs on simulated nodes, so that nothing has to be waited for. */
const noWait = { DAPR_MTLS_SETTLE: '0', DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '250' };

/** Copies the built program. It sees an environment of its own, in which there is neither helm nor another dapr. */
export function openDapr(kubeconfig: string): Dapr {
  const { home } = copyProgram();
  const folder = join(home, 'work');
  mkdirSync(folder);
  const start = (line: string, options: LineOptions = {}) => {
    const [program = '', ...words] = line.split(' ');
    const env = {
      PATH: '/nowhere',
      TZ: 'UTC',
      ...noWait,
      KUBECONFIG: options.kubeconfig ?? kubeconfig,
      ...options.env,
    };
    return startProcess([process.execPath, join(home, 'bin', `${program}.js`), ...words], { cwd: folder, env });
  };
  return { folder, start, run: (line, options) => start(line, options).ended };
}
