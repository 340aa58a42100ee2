import { isIPv4, isIPv6 } from 'node:net';
import * as Flags from '@oclif/core/flags';
import { type NetworkPolicyWish, policySubjects } from '../app/manifest/network-policy.ts';
import { DaprMtlsError } from '../errors.ts';
import { nameFlag, nameOf, namespaceFlag } from './manifest-flags.ts';

const policyGroup = 'POLICY';

export const manifestPolicyFlags = {
  for: Flags.option({
    description:
      "Whose pods: the watcher's, those of the CronJobs, or Sentry's, which then nobody else reaches unless another policy allows it.",
    options: policySubjects,
    default: 'watch' as const,
    helpGroup: policyGroup,
  })(),
  namespace: namespaceFlag({ description: "The control plane's namespace.", helpGroup: policyGroup }),
  name: nameFlag({
    description: 'The name of the watcher, as `manifest watch` had it.',
    default: 'dapr-mtls-watch',
    longest: 55,
    helpGroup: policyGroup,
  }),
  'from-namespace': Flags.custom<string>({
    description: 'Where Prometheus lives: from there the figures of the watcher may be read. Without it by nobody.',
    helpValue: 'NAMESPACE',
    helpGroup: policyGroup,
    parse: nameOf('from-namespace'),
  })(),
  'api-server': Flags.custom<string>({
    description: 'Where the API server is (default anywhere, ports 443 and 6443); may be said several times.',
    helpValue: 'CIDR',
    multiple: true,
    default: [],
    helpGroup: policyGroup,
    parse: async (text) => {
      if (isCidr(text)) return text;
      throw new DaprMtlsError('usage.invalid', {
        message: `--api-server ${text} is not a range of addresses`,
        hint: 'Write it as 10.0.0.1/32: `kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes` tells the address.',
      });
    },
  })(),
};

export interface ManifestPolicyFlags {
  readonly for: NetworkPolicyWish['subject'];
  readonly namespace: string;
  readonly name: string;
  readonly 'from-namespace': string | undefined;
  readonly 'api-server': readonly string[];
}

/** @throws DaprMtlsError `usage.invalid` for flags that the policy has no use for */
export function readNetworkPolicyWish(flags: ManifestPolicyFlags): NetworkPolicyWish {
  const subject = flags.for;
  if (flags['from-namespace'] !== undefined && subject !== 'watch') {
    throw new DaprMtlsError('usage.invalid', {
      message: `--from-namespace is about the figures of the watcher, not about --for ${subject}`,
      hint: 'Leave one of both out.',
    });
  }
  if (flags['api-server'].length > 0 && subject === 'sentry') {
    throw new DaprMtlsError('usage.invalid', {
      message: '--api-server is about where the watcher may go; --for sentry is about who may come',
      hint: 'Leave one of both out.',
    });
  }
  return {
    subject,
    namespace: flags.namespace,
    name: flags.name,
    metricsFrom: flags['from-namespace'],
    apiServers: flags['api-server'],
  };
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const longest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return more.length === 0 && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= longest;
}
