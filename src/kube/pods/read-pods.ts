import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, ListQuery } from '../port.ts';
import { resources } from '../resources.ts';
import { factsOfPod, type PodFacts, type PodObject } from './pod-facts.ts';
import { type SidecarPod, toSidecarPod } from './sidecar-pod.ts';

const protobuf = 'application/vnd.kubernetes.protobuf';

/**
 * Every pod with a sidecar that the query finds, as many at once as came in one piece; no more of the list
 * is in memory.
 *
 * Asked for in protobuf: 10,000 pods in JSON cost the server twice the work and us four times. One
 * list and no pages, which were slower and needed more memory; `resourceVersion` unset, because what
 * is read is evidence and must not be stale: before Kubernetes 1.31 that is one quorum read of etcd.
 * A proxy may answer in JSON all the same; then the list is read again in pages of that.
 * @throws DaprMtlsError `cluster.*`, also for a list that does not come to its end
 */
export async function* readPods(
  cluster: Cluster,
  query: Omit<ListQuery, 'metadataOnly'>,
): AsyncGenerator<readonly SidecarPod[], void, undefined> {
  for await (const batch of await openFacts(cluster, query)) {
    const pods = batch.map(toSidecarPod).filter((pod) => pod !== undefined);
    // Who asks ahead for the first of them has an empty list read to its end.
    if (pods.length > 0) yield pods;
  }
}

async function openFacts(cluster: Cluster, query: ListQuery): Promise<AsyncIterable<readonly PodFacts[]>> {
  const { contentType, chunks, giveBack } = await cluster.stream(
    resources.pods,
    query,
    `${protobuf}, application/json`,
  );
  const [mediaType] = contentType.split(';');
  if (mediaType === protobuf) return (await import('./protobuf/pod-list.ts')).decodePodList(chunks, { giveBack });
  await letGo(chunks);
  if (mediaType === 'application/json') return readPages(cluster, query);
  throw unexpected(contentType);
}

async function* readPages(cluster: Cluster, query: ListQuery): AsyncGenerator<readonly PodFacts[]> {
  for await (const pod of cluster.list<PodObject>(resources.pods, query)) yield [factsOfPod(pod)];
}

async function letGo(chunks: AsyncIterable<Buffer>): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  // A generator that was not begun does nothing at its return: the body would stay open.
  await iterator.next();
  await iterator.return?.();
}

function unexpected(contentType: string): DaprMtlsError {
  return new DaprMtlsError('cluster.rejected', {
    message: `the API server answers a list of pods as ${contentType || 'nothing that it names'}`,
    hint: 'Check that the server of the kubeconfig is an API server, and no login page in front of it.',
  });
}
