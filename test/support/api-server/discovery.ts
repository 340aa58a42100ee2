import { apiVersionOf, kinds } from './kinds.ts';

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** What the server says of itself: enough for kubectl to find its way. Undefined for any other path. */
export function discover(path: string): object | string | undefined {
  if (['/healthz', '/livez', '/readyz'].includes(path)) return 'ok';
  if (path === '/version') return { major: '1', minor: '34', gitVersion: 'v1.34.4', platform: 'linux/amd64' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() };
  const served = kinds.filter((kind) => path === (kind.group ? `/apis/${apiVersionOf(kind)}` : '/api/v1'));
  if (served.length === 0) return undefined;
  const resources = served.map(({ plural, kind, namespaced }) => ({
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs,
  }));
  const [first] = served;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: first && apiVersionOf(first), resources };
}

function groups(): object[] {
  const versions = new Map(kinds.filter(({ group }) => group).map(({ group, version }) => [group, version]));
  return [...versions].map(([name, version]) => {
    const preferredVersion = { groupVersion: `${name}/${version}`, version };
    return { name, versions: [preferredVersion], preferredVersion };
  });
}
