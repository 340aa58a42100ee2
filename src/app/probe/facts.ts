import type { NextPodRehearsal } from '../../kube/admission/rehearse-next-pod.ts';
import type { InjectorFacts } from '../../kube/admission/webhook.ts';
import type { ClusterReport } from '../cluster-report.ts';

/** All that the verdict rests on, gathered before. */
export interface ProbeFacts {
  readonly cluster: ClusterReport;
  /** Where the next pod would be made. */
  readonly namespace: string;
  /** `spiffe://cluster.local/ns/dapr-system/dapr-sentry`: whom a sidecar takes for Sentry. */
  readonly sentryId: string;
  /** False for Dapr up to 1.11: no ConfigMap, and a webhook with an authority of its own. */
  readonly hasConfigMap: boolean;
  readonly mtlsEnabled: boolean | undefined;
  readonly bundle: BundleFacts;
  readonly injector: InjectorFacts;
  readonly rehearsal: NextPodRehearsal;
  readonly handshake: HandshakeFacts;
}

/** Undefined what is not there, or may not be read: then `unread` says so. */
export interface BundleFacts {
  readonly secretAnchors: Buffer | undefined;
  readonly issuerChain: Buffer | undefined;
  readonly configMapAnchors: Buffer | undefined;
  readonly unread: readonly string[];
}

/** What a fresh handshake with Sentry brought; nothing of it is judged. */
export type HandshakeFacts =
  | { readonly kind: 'answered'; readonly address: string /** DER, leaf first. */; readonly chain: readonly Buffer[] }
  | {
      readonly kind: 'unreachable';
      readonly address: string;
      /** `--sentry-address` has named it; else it is where sidecars in the cluster look for it. */
      readonly isNamed: boolean;
      /** Of the system or of TLS: `ENOTFOUND`, `ECONNREFUSED`; `TIMEOUT` for our own. */
      readonly code: string;
      readonly reason: string;
    };
