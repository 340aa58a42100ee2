import { type ImageVersion, imageTag, readImageVersion } from './image.ts';
import type { Container, PodSpec } from './objects.ts';

const versionLabel = 'app.kubernetes.io/version';

/**
 * Dapr's own container in a pod. Meshes and agents add theirs, also before it, so that it is told
 * by its name, which is the service's.
 */
export function findServiceContainer(spec: PodSpec | undefined, service: string): Container | undefined {
  return spec?.containers?.find(({ name }) => name === service);
}

/** From the image's tag; an image that is named by its digest alone leaves the chart's label. */
export function findServiceVersion(
  spec: PodSpec | undefined,
  labels: Readonly<Record<string, string>> | undefined,
  service: string,
): ImageVersion | undefined {
  const image = findServiceContainer(spec, service)?.image;
  const text = (image === undefined ? undefined : imageTag(image)) ?? labels?.[versionLabel];
  return text === undefined || text === '' ? undefined : readImageVersion(text);
}

/**
 * The value of a flag as Go's pflag reads it: `--name value`, `--name=value`, one dash or two (Dapr's
 * programs take both), the last one counts. Undefined where it is not given.
 */
export function findFlag(container: Container | undefined, name: string): string | undefined {
  const words = [...(container?.command ?? []), ...(container?.args ?? [])];
  let found: string | undefined;
  words.forEach((word, index) => {
    const match = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word);
    if (match?.[1] === name) found = match[2] ?? words[index + 1] ?? found;
  });
  return found;
}
