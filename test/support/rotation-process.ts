import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import { ClusterRotationStore } from '../../src/store/cluster/rotation-store.ts';
import { locate } from '../../src/store/directory/place.ts';
import { DirectoryRotationStore } from '../../src/store/directory/rotation-store.ts';
import type { RotationStoreOptions } from '../../src/store/rotation-options.ts';
import type { RotationLock, RotationStore } from '../../src/store/rotation-port.ts';

/** Where the record lies, in words that reach another process. */
export type RotationPlace =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 'cluster';
      readonly kubeconfig: string;
      readonly namespace: string;
      readonly leaseMs: number;
    };

export type RotationOrder =
  | { readonly do: 'lock'; readonly place: RotationPlace; readonly purpose: string; readonly holder: string }
  | { readonly do: 'read' }
  | { readonly do: 'save'; readonly content: string }
  /** Lets go of everything but the lock, and has nothing more to do. */
  | { readonly do: 'leave' };

/** `done`, or the code of the error. */
export interface RotationAnswer {
  readonly outcome: string;
}

export async function openRotationStore(
  place: RotationPlace,
  given: Partial<RotationStoreOptions> = {},
): Promise<{ store: RotationStore; close: () => void }> {
  const options: RotationStoreOptions = {
    now: () => new Date(),
    sleep,
    assertRunning: () => undefined,
    holder: `tester@here, process ${process.pid}`,
    newId: () => randomBytes(8).toString('hex'),
    onProgress: () => undefined,
    wayToStore: place.kind === 'cluster' ? ' -k' : ` --dir ${place.path}`,
    ...given,
  };
  if (place.kind === 'directory') {
    return { store: new DirectoryRotationStore(locate(place.path), options), close: () => undefined };
  }
  const { kubeconfig, namespace, leaseMs } = place;
  const cluster = await openCluster({ context: undefined, kubeconfig, 'request-timeout': 5 }, {});
  const store = new ClusterRotationStore({ cluster, namespace }, { ...options, leaseMs });
  return { store, close: () => cluster.close() };
}

if (process.argv[2] === 'rotation-process') {
  let lock: RotationLock | undefined;
  let close = () => {};
  const carryOut = async (order: RotationOrder): Promise<void> => {
    if (order.do === 'lock') {
      const opened = await openRotationStore(order.place, { holder: order.holder });
      close = opened.close;
      lock = await opened.store.lock(order.purpose, 0);
      await lock.read();
    } else if (order.do === 'read') {
      await lock?.read();
    } else if (order.do === 'save') {
      await lock?.save(Buffer.from(order.content));
    } else {
      close();
      process.off('message', listen);
    }
  };
  const listen = (order: RotationOrder) =>
    void carryOut(order)
      .then(
        () => 'done',
        (error: unknown) => (error instanceof DaprMtlsError ? error.code : String(error)),
      )
      .then((outcome) => process.send?.({ outcome } satisfies RotationAnswer));
  process.on('message', listen);
}

/** One save, from lock to release: PATH CONTENT. */
if (process.argv[2] === 'rotation-save') {
  const [path = '', content = ''] = process.argv.slice(3);
  const save = async () => {
    const { store } = await openRotationStore({ kind: 'directory', path });
    const lock = await store.lock('rotate run', 0);
    await lock.read();
    await lock.save(Buffer.from(content));
    await lock.release();
  };
  save().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = error instanceof DaprMtlsError ? error.exitCode : 1;
  });
}
