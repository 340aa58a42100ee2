import * as Flags from '@oclif/core/flags';

/** For commands that only look: several clusters side by side. */
export const clustersFlags = {
  contexts: Flags.string({
    description: 'These contexts of the kubeconfig, side by side: names with commas between them.',
    helpValue: 'NAME,...',
    helpGroup: 'CLUSTER',
    exclusive: ['context', 'dir'],
  }),
  'all-contexts': Flags.boolean({
    description: 'Every context of the kubeconfig, side by side.',
    helpGroup: 'CLUSTER',
    exclusive: ['context', 'contexts', 'dir'],
  }),
};

export interface ClustersFlags {
  readonly contexts: string | undefined;
  readonly 'all-contexts': boolean;
}

export function asksForSeveral({ contexts, 'all-contexts': all }: ClustersFlags): boolean {
  return all || contexts !== undefined;
}
