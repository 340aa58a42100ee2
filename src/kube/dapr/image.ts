/** What the tag of one of Dapr's images tells: `1.17.13`, `1.9.0-mariner`, `nightly-2026-11-20`. */
export interface ImageVersion {
  /** As it stands. */
  readonly text: string;
  /** Undefined where the tag is no version. */
  readonly release: Release | undefined;
  /** `mariner`, or undefined for the plain images. */
  readonly variant: string | undefined;
}

export interface Release {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/**
 * The tag of an image reference: what follows the colon of its last path segment, without a
 * digest. The colon before it belongs to a registry's port. Undefined where there is none.
 */
export function imageTag(image: string): string | undefined {
  const digest = image.indexOf('@');
  const name = digest < 0 ? image : image.slice(0, digest);
  const colon = name.lastIndexOf(':');
  if (colon < 0 || name.includes('/', colon)) return undefined;
  return name.slice(colon + 1) || undefined;
}

/** Reads a tag, or the label `app.kubernetes.io/version`, which the chart fills with the tag. */
export function readImageVersion(text: string): ImageVersion {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/.exec(text);
  return {
    text,
    release: match ? { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) } : undefined,
    variant: /-(mariner)(?:-|$)/.exec(text)?.[1],
  };
}
