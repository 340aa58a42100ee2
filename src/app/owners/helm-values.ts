import { Document, Scalar, YAMLMap } from 'yaml';
import type { FoundFiles } from '../../pki/reading.ts';

export interface HelmValuesOptions {
  /** `HelmRelease.valuesPath`, where there is a release. */
  readonly valuesPath: readonly string[];
  readonly withIssuerKey: boolean;
  /** Where the key is to be had, said where it is left out. */
  readonly keySource: string;
}

/** Of Dapr's own chart. */
export const daprValuesPath: readonly string[] = ['dapr_sentry', 'tls'];

/**
 * The bundle as values of Dapr's chart, byte for byte but for blank lines behind the anchors. The
 * issuer key is in it only where asked for.
 */
export function buildHelmValues(files: FoundFiles, options: HelmValuesOptions): string {
  const { valuesPath, withIssuerKey, keySource } = options;
  const issuer = new YAMLMap();
  issuer.set('certPEM', literal(files.issuerChain));
  if (withIssuerKey) issuer.set('keyPEM', literal(files.issuerKey));
  else issuer.comment = ` ${missingKey(keySource)}`;
  const root = new YAMLMap();
  root.set('certPEM', literal(withOneEnd(files.anchors)));
  const document = new Document(nest(valuesPath, { root, issuer }));
  document.commentBefore = " The trust bundle, as values of Dapr's chart.";
  return document.toString({ lineWidth: 0 });
}

function missingKey(keySource: string): string {
  return `keyPEM is left out: ${keySource}.
 Set it in the same upgrade (helm upgrade --set-file ...keyPEM=FILE): with some of the three values alone the
 chart renders a bundle that Sentry replaces or exits on.`;
}

function nest(path: readonly string[], value: object): object {
  return path.reduceRight<object>((inner, key) => ({ [key]: inner }), value);
}

/**
 * Of blank lines at the end the chart keeps fewer in the ConfigMap than in the Secret (run on Dapr 1.12
 * and 1.17), and a Sentry that sees the two differ makes a new root.
 */
function withOneEnd(anchors: Buffer | undefined): Buffer | undefined {
  return anchors && Buffer.from(anchors.toString('utf8').replace(/\n{2,}$/, '\n'));
}

/** A block as people know PEM, wherever that keeps every byte. */
function literal(content: Buffer | undefined): Scalar<string> {
  const scalar = new Scalar((content ?? Buffer.alloc(0)).toString('utf8'));
  scalar.type = Scalar.BLOCK_LITERAL;
  return scalar;
}
