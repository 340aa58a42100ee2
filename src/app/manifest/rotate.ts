import { injectorName } from '../../kube/admission/webhook.ts';
import { controlPlaneServices, systemConfigurationName, trustBundleName } from '../../kube/dapr/services.ts';
import { grant, nameInCluster, type Rule } from './grant.ts';
import { labelsOf, type ManifestObject } from './object.ts';
import { makeContainer, makePodSpec, withoutSidecar } from './pod.ts';

/** What the objects are to be. */
export interface RotateManifestWish {
  /** An image with `dapr-mtls` on its PATH. */
  readonly image: string;
  /** Of the control plane. */
  readonly namespace: string;
  /** Of every object. */
  readonly name: string;
  /** Further words for `rotate run`. */
  readonly words: readonly string[];
  /** Whether the applications are restarted, too, which takes rights in every namespace. */
  readonly restartsApplications: boolean;
  /** Whether it may ask what the injector gives to the next pod, as the controller that makes pods. */
  readonly mayProbe: boolean;
  /** The Secret that holds the passphrase of the record's keys under `passphrase`; undefined: they have none. */
  readonly passphraseSecret: string | undefined;
}

/** The copies, the record and the lock of a rotation (store/cluster): named here, because RBAC is about names. */
const backupName = 'dapr-mtls-backup';
const recordName = 'dapr-mtls-rotation';
const leaseName = 'dapr-mtls';

const controllerAccount = { namespace: 'kube-system', name: 'replicaset-controller' };
const controllerGroups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'];

/** Pure: a Job that carries a rotation on inside the cluster, and the least that it has to be allowed. */
export function makeRotateManifest(wish: RotateManifestWish): ManifestObject[] {
  const { namespace, name } = wish;
  const own = { name, namespace };
  const wide = nameInCluster(own);
  const to = { account: own, labels };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...own, labels } },
    ...grant('Role', own, rulesInNamespace(), to),
    ...grant('ClusterRole', { name: wide }, rulesInCluster(wish), to),
    ...(wish.mayProbe
      ? grant('Role', { name: wide, namespace: controllerAccount.namespace }, [actAsController], to)
      : []),
    makeJob(wish),
  ];
}

const labels = labelsOf('rotation');

/** RBAC knows no name at a create. */
function rulesInNamespace(): Rule[] {
  const named = (plural: string) =>
    controlPlaneServices.filter(({ resource }) => resource.plural === plural).map(({ name }) => name);
  const rollVerbs = ['get', 'list', 'watch', 'patch'];
  return [
    {
      apiGroups: [''],
      resources: ['secrets'],
      verbs: ['get', 'patch'],
      resourceNames: [trustBundleName, backupName, recordName],
    },
    {
      apiGroups: [''],
      resources: ['configmaps'],
      verbs: ['get', 'patch', 'delete'],
      resourceNames: [trustBundleName],
    },
    { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'patch'], resourceNames: [leaseName] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: rollVerbs, resourceNames: named('deployments') },
    { apiGroups: ['apps'], resources: ['statefulsets'], verbs: rollVerbs, resourceNames: named('statefulsets') },
    {
      apiGroups: ['dapr.io'],
      resources: ['configurations'],
      verbs: ['get'],
      resourceNames: [systemConfigurationName],
    },
    // Why a service does not come back is told in events alone.
    { apiGroups: [''], resources: ['events'], verbs: ['list'] },
  ];
}

function rulesInCluster({ restartsApplications, mayProbe }: RotateManifestWish): Rule[] {
  return [
    // The evidence: what every sidecar was born with.
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['mutatingwebhookconfigurations'],
      verbs: ['get'],
      resourceNames: [injectorName],
    },
    ...(restartsApplications
      ? [
          {
            apiGroups: ['apps'],
            resources: ['deployments', 'statefulsets', 'daemonsets'],
            verbs: ['get', 'list', 'watch', 'patch'],
          },
        ]
      : []),
    ...(mayProbe
      ? [{ apiGroups: [''], resources: ['groups'], verbs: ['impersonate'], resourceNames: controllerGroups }]
      : []),
  ];
}

const actAsController: Rule = {
  apiGroups: [''],
  resources: ['serviceaccounts'],
  verbs: ['impersonate'],
  resourceNames: [controllerAccount.name],
};

const passphraseFolder = '/run/dapr-mtls';

function makeJob(wish: RotateManifestWish): ManifestObject {
  const { image, namespace, name, words, restartsApplications, passphraseSecret } = wish;
  const args = [
    'mtls',
    'rotate',
    'run',
    '-k',
    '--namespace',
    namespace,
    '--wait',
    // A pod of it may come back when the rotation has ended, or a human has given it up.
    '--resume',
    '--restart',
    restartsApplications ? 'all' : 'control-plane',
    ...(passphraseSecret === undefined ? [] : ['--passphrase-file', `${passphraseFolder}/passphrase`]),
    ...words,
  ];
  const passphrase =
    passphraseSecret === undefined
      ? { mounts: [], volumes: [] }
      : {
          mounts: [{ name: 'passphrase', mountPath: passphraseFolder, readOnly: true }],
          volumes: [
            {
              name: 'passphrase',
              secret: { secretName: passphraseSecret, items: [{ key: 'passphrase', path: 'passphrase' }] },
            },
          ],
        };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, labels },
    spec: {
      // A rotation lasts for days, and a node may go meanwhile: each run goes on where the last one stopped.
      backoffLimit: 20,
      template: {
        metadata: { labels, annotations: withoutSidecar },
        spec: makePodSpec({
          account: name,
          restartPolicy: 'OnFailure',
          containers: [
            makeContainer({
              name: 'rotate',
              image,
              args,
              resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '384Mi' } },
              mounts: passphrase.mounts,
            }),
          ],
          volumes: passphrase.volumes,
        }),
      },
    },
  };
}
