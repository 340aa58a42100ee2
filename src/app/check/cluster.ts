import { type Finding, finding } from '../../pki/rules/finding.ts';

/** What the objects of a control plane tell beside the bundle in the Secret. */
export interface ClusterSurroundings {
  /** As people call the store. */
  readonly name: string;
  /** The key that holds the anchors in both objects. */
  readonly anchorsName: string;
  /** False for Dapr up to 1.11, whose Sentry knows the Secret alone. */
  readonly hasConfigMap: boolean;
  /** False while a run of ours, or one that died, has the ConfigMap away. */
  readonly isSettled: boolean;
  readonly secret: ObjectFacts | undefined;
  readonly configMap: ObjectFacts | undefined;
  /** What this user may not read, in the words of the refusals. */
  readonly unread: readonly string[];
}

export interface ObjectFacts {
  readonly anchors: Buffer | undefined;
  readonly isImmutable: boolean;
}

/** How Secret and ConfigMap stand to each other (dapr-facts, section 2: what Sentry does with a bundle). Pure. */
export function judgeCluster(surroundings: ClusterSurroundings): Finding[] {
  return [...judgePair(surroundings), ...judgeObjects(surroundings), ...judgeUnread(surroundings)];
}

/** A missing object keeps Sentry from starting; one without data makes it generate (pkg/sentry/server/ca/kube.go). */
function judgePair(surroundings: ClusterSurroundings): Finding[] {
  const { name, anchorsName, hasConfigMap, secret } = surroundings;
  if (!secret) {
    return [
      finding('cluster.secret-missing', {
        subject: `Secret ${name}`,
        message: exitsAtStart,
        hint: `Restart nothing. ${bringCopyBack}`,
      }),
    ];
  }
  const ofConfigMap = hasConfigMap ? judgeConfigMap(surroundings, secret) : [];
  return secret.anchors ? ofConfigMap : [withoutData(`Secret ${name}`, anchorsName, fillFromCopy), ...ofConfigMap];
}

function judgeConfigMap(
  { name, anchorsName, isSettled, configMap }: ClusterSurroundings,
  secret: ObjectFacts,
): Finding[] {
  const subject = `ConfigMap ${name}`;
  if (!configMap) {
    if (!isSettled) return [];
    const hint = secret.anchors
      ? 'Make it from what the Secret holds: `dapr-mtls repair -k --from secret`.'
      : bringCopyBack;
    return [finding('cluster.configmap-missing', { subject, message: exitsAtStart, hint })];
  }
  if (!configMap.anchors) return [withoutData(subject, anchorsName, secret.anchors ? fillFromSecret : fillFromCopy)];
  if (!secret.anchors || secret.anchors.equals(configMap.anchors)) return [];
  return [
    finding('cluster.bundle-mismatch', {
      subject: `Secret and ConfigMap ${name}`,
      message: `their ${anchorsName} differ: the next Sentry that starts makes a new root, and every sidecar is cut off`,
      hint: 'Restart nothing. Make them one: `dapr-mtls repair -k --from secret` (or --from configmap, --from backup).',
    }),
  ];
}

function withoutData(subject: string, anchorsName: string, hint: string): Finding {
  return finding('cluster.bundle-empty', {
    subject,
    message: `there is no ${anchorsName} in it: the next Sentry that starts makes a new root`,
    hint,
  });
}

const exitsAtStart = 'a Sentry that starts now exits; one that runs goes on';
const bringCopyBack = 'Bring a copy back: `dapr-mtls repair -k --from backup`.';
const fillFromSecret = 'Restart nothing. Fill it from what the Secret holds: `dapr-mtls repair -k --from secret`.';
const fillFromCopy =
  'If Sentry has never run, it makes its bundle at the start. Else restore a copy before any Sentry starts: `dapr-mtls repair -k --from backup`.';

function judgeObjects({ name, secret, configMap }: ClusterSurroundings): Finding[] {
  const objects = [
    { kind: 'Secret', facts: secret },
    { kind: 'ConfigMap', facts: configMap },
  ];
  return objects
    .filter(({ facts }) => facts?.isImmutable)
    .map(({ kind }) =>
      finding('cluster.immutable', {
        subject: `${kind} ${name}`,
        message: 'it is immutable, so the bundle can neither be renewed nor replaced',
        hint: 'Whoever made it so has to delete it and make it anew without `immutable`.',
      }),
    );
}

function judgeUnread({ name, unread }: ClusterSurroundings): Finding[] {
  return unread.map((message) =>
    finding('cluster.unread', {
      subject: name,
      message,
      hint: 'Ask for the right to read it, to have all rules applied.',
    }),
  );
}
