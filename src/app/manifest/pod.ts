/** A user that is in no image, so that nothing in one is his. */
const user = 65_532;

interface ContainerWish {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly resources: object;
  readonly mounts?: readonly object[];
}

/** One run of this program, on a file system that it cannot write. */
export function makeContainer({ name, image, args, resources, mounts = [] }: ContainerWish) {
  return {
    name,
    image,
    command: ['dapr-mtls'],
    args,
    // A user without a home directory has one where something may be written.
    env: [{ name: 'HOME', value: '/tmp' }],
    resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...mounts],
  };
}

interface PodWish {
  readonly account: string;
  readonly restartPolicy: 'Always' | 'Never' | 'OnFailure';
  readonly containers: readonly object[];
  readonly volumes?: readonly object[];
}

/** What the Pod Security Standard `restricted` asks for. */
export function makePodSpec({ account, restartPolicy, containers, volumes = [] }: PodWish) {
  return {
    serviceAccountName: account,
    restartPolicy,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers,
    volumes: [{ name: 'tmp', emptyDir: {} }, ...volumes],
  };
}

/** The program itself has no sidecar: it looks at them. */
export const withoutSidecar = { 'dapr.io/enabled': 'false' };
