import { type LeaseObject, leaseRef } from '../../src/store/cluster/lease.ts';
import type { SecretObject } from '../../src/store/cluster/objects.ts';
import { recordRef } from '../../src/store/cluster/rotation-record.ts';
import { type ApiServer, startApiServer } from './api-server/server.ts';
import type { RotationPlace } from './rotation-process.ts';

const namespace = 'dapr-system';
const place = { namespace };

/** The tests' own API server, with a namespace for the record and the lock of a rotation. */
export interface RotationCluster {
  readonly server: ApiServer;
  readonly place: RotationPlace & { readonly kind: 'cluster' };
  record(): SecretObject | undefined;
  lease(): LeaseObject | undefined;
  /** As another program writes: past the lock. */
  overwrite(content: Buffer): void;
  /** Makes or replaces the lease as somebody else's, with annotations of nobody's. */
  putLease(spec: NonNullable<LeaseObject['spec']>, annotations?: Record<string, string>): void;
  removeLease(): void;
  removeRecord(): void;
  /** Takes both away. */
  reset(): void;
  stop(): Promise<void>;
}

/** @param leaseMs short, so that nobody waits for the dead as long as in earnest */
export async function startRotationCluster(leaseMs = 1000): Promise<RotationCluster> {
  const server = await startApiServer();
  const { store } = server;
  store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const record = () => store.get<SecretObject>(recordRef(place));
  const lease = () => store.get<LeaseObject>(leaseRef(place));
  const head = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  const removeLease = () => {
    if (lease()) store.remove(leaseRef(place));
  };
  const removeRecord = () => {
    if (record()) store.remove(recordRef(place));
  };
  return {
    server,
    place: { kind: 'cluster', kubeconfig: server.kubeconfig(), namespace, leaseMs },
    record,
    lease,
    overwrite: (content) => {
      const { name } = recordRef(place);
      const secret: SecretObject = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        ...record(),
        data: { 'rotation.json': content.toString('base64') },
      };
      store.put(secret);
    },
    putLease: (spec, annotations = {}) => {
      const { name } = leaseRef(place);
      store.put({ ...head, metadata: { name, namespace, annotations }, spec } as LeaseObject);
    },
    removeLease,
    removeRecord,
    reset: () => {
      removeLease();
      removeRecord();
    },
    stop: () => server.stop(),
  };
}
