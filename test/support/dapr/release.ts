/** In what the charts of Dapr's releases differ, as far as this program can see it. */
export interface Release {
  /** `1.17.13`; with its image variant `1.17.13-mariner`. */
  readonly tag: string;
  readonly registry: string;
  /** Up to 1.9 every service runs from the image `dapr`. */
  readonly hasOneImage: boolean;
  /** The ConfigMap beside the Secret, the annotation `dapr.io/control-plane`, the fields of the Configuration: 1.12. */
  readonly hasConfigMap: boolean;
  readonly hasScheduler: boolean;
  /** The dashboard came with the chart up to 1.10. */
  readonly hasDashboard: boolean;
  /** The injector marks the pods that it has changed with `dapr.io/sidecar-injected`: 1.11. */
  readonly labelsSidecars: boolean;
  /** Sidecars are given an issuer's certificate and key of their own environment: up to 1.13. */
  readonly givesCertificates: boolean;
  readonly managedBy: string;
  readonly minor: number;
}

export function releaseOf(version: string, variant?: string): Release {
  const minor = Number(version.split('.')[1]);
  return {
    tag: variant ? `${version}-${variant}` : version,
    registry: minor >= 13 ? 'ghcr.io/dapr' : 'docker.io/daprio',
    hasOneImage: minor <= 9,
    hasConfigMap: minor >= 12,
    hasScheduler: minor >= 14,
    hasDashboard: minor <= 10,
    labelsSidecars: minor >= 11,
    givesCertificates: minor <= 13,
    managedBy: minor >= 15 ? 'Helm' : 'helm',
    minor,
  };
}
