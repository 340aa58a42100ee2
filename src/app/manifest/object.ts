/** An object of Kubernetes, as it is written down. */
export type ManifestObject = Readonly<Record<string, unknown>>;

/** The name of an object, and where it lives. */
export interface Place {
  readonly name: string;
  readonly namespace: string;
}

export type Labels = Readonly<Record<string, string>>;

const nameKey = 'app.kubernetes.io/name';
const program = 'dapr-mtls';

/** What every object bears that this program prints. */
export function labelsOf(component: string): Labels {
  return { [nameKey]: program, 'app.kubernetes.io/component': component };
}

/** For what others select by: two of the same kind stand beside each other under two names. */
export function labelsOfInstance(component: string, instance: string): Labels {
  return { ...labelsOf(component), 'app.kubernetes.io/instance': instance };
}

/** Every pod of this program. */
export const programSelector = { matchLabels: { [nameKey]: program } };
