import type { DaprVersion } from '../../pki/rules/context.ts';
import type { StoredBundle, StoreLocation } from '../../store/port.ts';
import type { AuditReport } from '../audit/report.ts';
import type { Surroundings } from '../check/check.ts';
import type { ClusterReport } from '../cluster-report.ts';
import type { ConfigurationReport } from '../configuration/report.ts';
import type { InspectInput } from '../inspect.ts';

/** A part of the report: what was found, or why this user could not look at it. */
export type Looked<Found> = { readonly found: Found } | { readonly refusal: Refusal };

/** In words that may be shown: never what an API server said about a Secret. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** What was gathered of one directory or one cluster. */
export interface TrustInput {
  /** As people call it: a directory, or a context. */
  readonly name: string;
  readonly kind: StoreLocation['kind'];
  readonly cluster: ClusterReport | null;
  /** As much of the bundle as this user may read; of whom the Secret is closed to what is public. */
  readonly store: { readonly stored: StoredBundle; readonly location: StoreLocation } | undefined;
  /** The same as files of certificates; undefined where there is none of them. */
  readonly files: Omit<InspectInput, 'at'> | undefined;
  readonly bundle: Looked<LookedAtBundle>;
  readonly settings: Looked<ConfigurationReport>;
  /** Undefined for a directory, which has no pods. */
  readonly sidecars: Looked<AuditReport> | undefined;
}

/** All that `check` judges. */
export interface LookedAtBundle {
  readonly stored: StoredBundle;
  readonly location: StoreLocation;
  readonly surroundings: Surroundings;
  /** What runs there; undefined where that is not known. */
  readonly daprVersion: DaprVersion | undefined;
}
