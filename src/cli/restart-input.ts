import * as Flags from '@oclif/core/flags';
import { parseWorkloadName, type WorkloadName } from '../app/restart/choose-applications.ts';
import { DaprMtlsError } from '../errors.ts';
import { clusterFlags } from './flags.ts';

const applicationsGroup = 'APPLICATIONS';

export const restartFlags = {
  ...clusterFlags,
  namespace: Flags.string({
    char: 'n',
    description:
      "The control plane's namespace (default dapr-system, else the one in which Sentry is found). With --apps: the applications' (default that of the context).",
    helpValue: 'NAMESPACE',
    helpGroup: 'CLUSTER',
  }),
  'control-plane-namespace': Flags.string({
    description: "The control plane's namespace, where -n is the applications'.",
    helpValue: 'NAMESPACE',
    helpGroup: 'CLUSTER',
  }),
  apps: Flags.boolean({
    description: 'Restart the workloads whose pods have a sidecar, and not the control plane.',
    helpGroup: applicationsGroup,
  }),
  'all-namespaces': Flags.boolean({
    char: 'A',
    description: 'Those of every namespace.',
    helpGroup: applicationsGroup,
  }),
  only: Flags.custom<WorkloadName>({
    description: 'This one alone: deploy/NAME, sts/NAME or ds/NAME. May be said several times.',
    helpValue: 'KIND/NAME',
    helpGroup: applicationsGroup,
    multiple: true,
    parse: async (text) => parseWorkloadName(text),
  })(),
  'max-parallel': Flags.integer({
    description: 'How many workloads are restarted at a time.',
    helpValue: 'COUNT',
    // Each asks for one thing at a time, and eight requests at once are enough for any API server.
    min: 1,
    max: 8,
    default: 3,
    helpGroup: applicationsGroup,
  }),
  timeout: Flags.custom<number>({
    description:
      'How long all of it may take, in seconds (default 300; with --apps 300 for each workload). What was begun goes on in the cluster.',
    helpValue: 'SECONDS',
    parse: async (text) => {
      const match = /^(\d+)s?$/.exec(text);
      if (match && Number(match[1]) > 0 && Number(match[1]) <= 86_400) return Number(match[1]);
      throw new DaprMtlsError('usage.invalid', {
        message: `--timeout ${text} is not a number of seconds`,
        hint: 'Write 300 or 300s.',
      });
    },
  })(),
  'dry-run': Flags.boolean({ description: 'List what would be restarted, in which order; restart nothing.' }),
};

export interface RestartFlags {
  readonly namespace: string | undefined;
  readonly 'control-plane-namespace': string | undefined;
  readonly apps: boolean;
  readonly 'all-namespaces': boolean;
  readonly only: readonly WorkloadName[] | undefined;
}

/** Where is looked for what. */
export interface RestartScope {
  /** As it was named; undefined where it is to be found. */
  readonly controlPlaneNamespace: string | undefined;
  /** Undefined where the control plane is meant. */
  readonly applications: { readonly namespace: string | undefined; readonly only: readonly WorkloadName[] } | undefined;
}

/**
 * @param contextNamespace that of the kubeconfig's context, where kubectl would look, too
 * @throws DaprMtlsError `usage.invalid` for words that contradict each other
 */
export function readScope(flags: RestartFlags, contextNamespace: string | undefined): RestartScope {
  const { namespace, apps, only = [], 'all-namespaces': all, 'control-plane-namespace': named } = flags;
  if (!apps && (all || only.length > 0)) {
    throw contradiction(`${all ? '-A' : '--only'} concerns applications`, 'Say --apps, too, or leave it out.');
  }
  if (all && namespace !== undefined) throw contradiction('-A and -n contradict each other', 'Leave one of them out.');
  if (!apps) {
    if (named === undefined || namespace === undefined || named === namespace) {
      return { controlPlaneNamespace: namespace ?? named, applications: undefined };
    }
    throw contradiction('-n and --control-plane-namespace name two control planes', 'Leave one of them out.');
  }
  return {
    controlPlaneNamespace: named,
    applications: { namespace: all ? undefined : (namespace ?? contextNamespace ?? 'default'), only },
  };
}

function contradiction(message: string, hint: string): DaprMtlsError {
  return new DaprMtlsError('usage.invalid', { message, hint });
}
