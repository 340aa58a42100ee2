import type { PodWorkload } from '../../kube/pods/workload.ts';
import type { LeafSettings } from './leaf-settings.ts';
import type { RestartScope } from './record.ts';

/**
 * What can be seen of everybody who verifies or shows certificates, at one moment. Nothing here is
 * remembered: each look gathers it anew.
 */
export interface World {
  /** As `RotationSite.instant` tells it. */
  readonly at: Date;
  /** Set where that is this machine's clock, although pods are dated by the API server's, which may not be asked. */
  readonly isOwnClock?: boolean;
  /** Undefined where nobody can list them: the daprds of a directory. */
  readonly sidecars: readonly Sidecar[] | undefined;
  /** Undefined where there are none to be seen. */
  readonly services: readonly ServiceInstance[] | undefined;
  readonly handout: Handout;
  /** What Sentry shows to who connects now. */
  readonly sentry: SentryView;
  /** As they stand now; undefined where nobody may read them. */
  readonly settings?: LeafSettings | undefined;
}

/** A pod with a daprd, whatever created it. */
export interface Sidecar {
  readonly namespace: string;
  readonly pod: string;
  readonly workload: PodWorkload;
  readonly createdAt: Date | undefined;
  /** Somebody deleted it; it still talks. */
  readonly terminating: boolean;
  /** `DAPR_TRUST_ANCHORS` as it was born with; undefined where the pod does not tell. Shared by all that hold the same. */
  readonly anchors: string | undefined;
  /** The tag of its image; undefined where the pod does not tell. */
  readonly daprVersion?: string | undefined;
}

/** A pod of the control plane. */
export interface ServiceInstance {
  /** `dapr-sentry` and so on. */
  readonly service: string;
  readonly pod: string;
  readonly createdAt: Date | undefined;
  /** Of its container as it runs now; undefined where it does not. */
  readonly startedAt: Date | undefined;
  readonly ready: boolean;
  readonly terminating: boolean;
}

/** The anchors that the next sidecar gets. */
export type Handout =
  | { readonly kind: 'anchors'; readonly pem: string }
  /** Why it cannot be told: no injector that would answer this user, or a directory. */
  | { readonly kind: 'unknown'; readonly reason: string };

export type SentryView =
  /** DER, leaf first. */
  { readonly kind: 'shown'; readonly chain: readonly Buffer[] } | { readonly kind: 'unknown'; readonly reason: string };

/** Where a rotation takes place, beside the store of its bundle. */
export interface RotationSite {
  readonly kind: 'directory' | 'cluster';
  /** @throws DaprMtlsError `cluster.*` */
  gather(): Promise<World>;
  /**
   * The time now, by the clock that `createdAt` and `startedAt` are told by: the API server's (the
   * creationTimestamp of a dry-run create, for instance), because this machine's may be off.
   */
  instant(): Promise<Date>;
  /**
   * Restarts those of the scope that started before an instant (of a cluster), or runs the command that
   * was given for it (of a directory), and waits until they are well. Resumable: what has been restarted
   * since is left alone.
   * @throws DaprMtlsError `rollout.failed`, `cluster.*`, `file.io`, and whatever `mayBegin` throws
   */
  restart(request: RestartRequest): Promise<RestartOutcome>;
}

export interface RestartRequest {
  readonly phase: string;
  /** In this order. */
  readonly scopes: readonly RestartScope[];
  /** Who was created or started before it is due. */
  readonly since: Date;
  /** Sidecars that are due for another reason too: those born without one of these anchors (SHA-256 of the DER). */
  readonly neededAnchors: readonly string[];
  /** NAMESPACE/NAME of workloads that are left alone. */
  readonly skipped: readonly string[];
  /**
   * Asked before each workload, and before the command of a directory: false where no more may be begun now,
   * because a window has closed. What is under way is waited for. It may whenever nobody says.
   * @throws DaprMtlsError `store.locked` where the rotation is not this run's any more
   */
  readonly mayBegin?: () => Promise<boolean>;
}

export interface RestartOutcome {
  /** Whether the restart was this program's to do, and is done; false also where nobody has told how. */
  readonly carriedOut: boolean;
  /** What was restarted, as `mtls restart` names it. */
  readonly restarted: readonly string[];
  readonly remarks: readonly string[];
}
