/**
 * What kwok plays instead of a kubelet: nodes become ready, pods start, end and fail. A pod runs
 * and is ready at once, unless its template's annotations say otherwise.
 */
export const podAnnotations = {
  /** One of `podBehaviours`, from the pod's birth. */
  behaviour: 'test.dapr-mtls/behaviour',
  /** The same, but only for pods that a restart has made. */
  afterRestart: 'test.dapr-mtls/after-restart',
  /** How long a pod takes to become ready, as Go writes a duration: `1500ms`. */
  readyAfter: 'test.dapr-mtls/ready-after',
} as const;

/** As a behaviour: kwok leaves the pod alone, because the test itself plays its kubelet. */
export const playedElsewhere = 'elsewhere';

export type PodBehaviour = 'ready' | 'never-ready' | 'crash-loop' | 'image-missing' | 'completed';

/** The kinds of kwok's configuration, as one file for its `--config`. */
export function encodeStages(): string {
  const stages = [nodeReady, podDeleted, ...Object.entries(podStages).map(([name, stage]) => podStage(name, stage))];
  // kwok reads YAML documents, and JSON is YAML.
  return stages.map((stage) => JSON.stringify(stage)).join('\n---\n');
}

interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

function stage(name: string, kind: string, matchExpressions: readonly Requirement[], rest: object): object {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind }, selector: { matchExpressions }, ...rest },
  };
}

// Written once: there is no heartbeat, and the controller manager is told not to wait for one.
const nodeReady = stage(
  'node-ready',
  'Node',
  [
    {
      key: '.status.conditions.[] | select(.type == "Ready") | .status',
      operator: 'NotIn',
      values: ['True'],
    },
  ],
  {
    next: {
      statusTemplate: `
{{ $now := Now }}
addresses:
- { type: InternalIP, address: {{ NodeIP | Quote }} }
- { type: Hostname, address: {{ .metadata.name | Quote }} }
allocatable: { cpu: 1k, memory: 1Ti, pods: 100k }
capacity: { cpu: 1k, memory: 1Ti, pods: 100k }
conditions:
- { type: Ready, status: "True", reason: KubeletReady, lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }} }
nodeInfo: { architecture: amd64, operatingSystem: linux, bootID: "", machineID: "", systemUUID: "", osImage: "", kernelVersion: "", containerRuntimeVersion: kwok, kubeletVersion: v1.34.4, kubeProxyVersion: "" }
phase: Running
`,
    },
  },
);

const behaviourOf = `(.metadata.annotations // {}) as $a
  | if $a["kubectl.kubernetes.io/restartedAt"] and $a["${podAnnotations.afterRestart}"]
    then $a["${podAnnotations.afterRestart}"]
    else $a["${podAnnotations.behaviour}"] // "ready" end`.replace(/\s+/g, ' ');

// No grace period: who needs a graceful end plays the kubelet itself.
const podDeleted = stage(
  'pod-deleted',
  'Pod',
  [
    { key: '.metadata.deletionTimestamp', operator: 'Exists' },
    { key: behaviourOf, operator: 'NotIn', values: [playedElsewhere] },
  ],
  { next: { finalizers: { empty: true }, delete: true } },
);

function podStage(behaviour: string, { phase, ready, container }: PodStage): object {
  const status = `
{{ $now := Now }}
conditions:
- { type: PodScheduled, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: ContainersReady, status: ${ready}, lastTransitionTime: {{ $now | Quote }} }
- { type: Ready, status: ${ready}, lastTransitionTime: {{ $now | Quote }} }
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
${container}
{{ end }}
{{ with .spec.initContainers }}
initContainerStatuses:
{{ range . }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
{{ if eq (or .restartPolicy "") "Always" }}
  started: true
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ else }}
  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }
{{ end }}
{{ end }}
{{ end }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName (or .spec.hostNetwork false) (or .metadata.uid "") (or .metadata.name "") (or .metadata.namespace "") | Quote }}
phase: ${phase}
startTime: {{ $now | Quote }}
`;
  const requirements: readonly Requirement[] = [
    { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' },
    { key: '.status.podIP', operator: 'DoesNotExist' },
    { key: behaviourOf, operator: 'In', values: [behaviour] },
  ];
  return stage(`pod-${behaviour}`, 'Pod', requirements, {
    delay: {
      durationMilliseconds: 0,
      durationFrom: { expressionFrom: `.metadata.annotations["${podAnnotations.readyAfter}"]` },
    },
    next: { statusTemplate: status },
  });
}

interface PodStage {
  readonly phase: string;
  readonly ready: '"True"' | '"False"';
  /** What one of its containerStatuses says after the image. */
  readonly container: string;
}

const running = 'running: { startedAt: {{ $now | Quote }} }';

const podStages: Readonly<Record<PodBehaviour, PodStage>> = {
  ready: {
    phase: 'Running',
    ready: '"True"',
    container: `  ready: true\n  started: true\n  restartCount: 0\n  state: { ${running} }`,
  },
  'never-ready': {
    phase: 'Running',
    ready: '"False"',
    container: `  ready: false\n  started: true\n  restartCount: 0\n  state: { ${running} }`,
  },
  'crash-loop': {
    phase: 'Running',
    ready: '"False"',
    container: `  ready: false
  started: false
  restartCount: 4
  state: { waiting: { reason: CrashLoopBackOff, message: "back-off 1m20s restarting failed container" } }
  lastState: { terminated: { exitCode: 1, reason: Error, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }`,
  },
  'image-missing': {
    phase: 'Pending',
    ready: '"False"',
    container: `  ready: false
  started: false
  restartCount: 0
  state: { waiting: { reason: ImagePullBackOff, message: "Back-off pulling image" } }`,
  },
  completed: {
    phase: 'Succeeded',
    ready: '"False"',
    container: `  ready: false
  started: false
  restartCount: 0
  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }`,
  },
};
