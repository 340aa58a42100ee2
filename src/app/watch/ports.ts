import type { Finding } from '../../pki/rules/finding.ts';
import type { StoredBundle, StoreLocation } from '../../store/port.ts';
import type { Counts } from '../audit/report.ts';

/** What one look has found. */
export interface Sight {
  /** Of a cluster whose Secret was not read: the anchors of the ConfigMap and the issuer that Sentry shows. */
  readonly bundle: StoredBundle;
  /** What was not looked at, each in a sentence with its reason. */
  readonly unread: readonly string[];
  /** What the rules of Sentry and its clients say of what was read. */
  readonly findings: readonly Finding[];
  /** Undefined in a directory, and where pods may not be read. */
  readonly sidecars: SidecarSight | undefined;
}

export interface SidecarSight {
  readonly totals: Counts;
  /** Why even who holds all anchors verifies nobody; null where that is well. */
  readonly problem: string | null;
  /** Those that have not followed, the gravest first; no more than a person reads. */
  readonly behind: readonly {
    readonly namespace: string;
    readonly kind: string;
    readonly name: string;
    readonly state: string;
    readonly sidecars: number;
  }[];
}

/** Where a watcher looks. */
export interface WatchSource {
  readonly location: StoreLocation;
  /** @throws DaprMtlsError what stands in the way of this look; the next one may succeed */
  look(at: Date): Promise<Sight>;
  /**
   * Tells of whatever may have changed what a look finds, until the signal. What passes by itself,
   * such as a connection that was cut, is waited for and no error.
   */
  follow(changed: () => void, signal: AbortSignal): Promise<void>;
}

/** Something worth telling to whoever keeps the cluster. */
export interface Announcement {
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase, such as `RootExpiring`. */
  readonly reason: string;
  readonly message: string;
  /** Two announcements of one reason about the same are one that was repeated. */
  readonly about: string;
}

export interface Announcer {
  /** @throws DaprMtlsError where this user may not; a watch goes on without it */
  announce(announcement: Announcement): Promise<void>;
}

/** Which of several replicas speaks: who does not lead looks and serves figures, and says nothing. */
export interface Leadership {
  readonly leads: boolean;
  /** Seeks the lead and keeps it until the signal, then gives it up. */
  run(listener: LeadershipListener, signal: AbortSignal): Promise<void>;
}

export interface LeadershipListener {
  changed(leads: boolean): void;
  /** Another one leads: told at the beginning, and again after a trouble. */
  waits(holder: string): void;
  /** Why it cannot lead; it is tried again until it can. */
  troubled(error: Error): void;
}
