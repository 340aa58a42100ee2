import { delimiter, join } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import type { KubeconfigDocument } from './document.ts';
import { mergeKubeconfigs } from './merge.ts';
import { readKubeconfig } from './read.ts';
import type { Surroundings } from './surroundings.ts';

export interface FoundKubeconfig {
  /** Undefined where none of the files is there, or nothing stands in them. */
  readonly document: KubeconfigDocument | undefined;
  /** The files that were looked for, there or not. */
  readonly files: readonly string[];
}

/**
 * `--kubeconfig` alone, else all of KUBECONFIG, else ~/.kube/config.
 * @throws DaprMtlsError `cluster.kubeconfig`
 */
export async function findKubeconfig(
  named: string | undefined,
  { env, homeDir }: Surroundings,
): Promise<FoundKubeconfig> {
  if (named !== undefined) {
    const document = await readKubeconfig(named);
    if (!document) throw noSuchFile(named);
    return { document, files: [named] };
  }
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter(Boolean);
  const files = listed.length > 0 ? [...new Set(listed)] : [join(homeDir, '.kube', 'config')];
  const documents = (await Promise.all(files.map(readKubeconfig))).filter((document) => document !== undefined);
  const document = mergeKubeconfigs(documents);
  return { document: isEmpty(document) ? undefined : document, files };
}

function isEmpty({ currentContext, clusters, users, contexts }: KubeconfigDocument): boolean {
  return !currentContext && clusters.size + users.size + contexts.size === 0;
}

function noSuchFile(file: string): DaprMtlsError {
  return new DaprMtlsError('cluster.kubeconfig', {
    message: `there is no kubeconfig ${file}`,
    hint: 'Name one that exists with --kubeconfig, or leave the flag out to use KUBECONFIG or ~/.kube/config.',
  });
}
