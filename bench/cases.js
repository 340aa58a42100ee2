import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clean, withExtraRoots } from './environment.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const secretPath = '/api/v1/namespaces/dapr-system/secrets/dapr-trust-bundle';

/** Most that a case may be of another one: as issue by issue was agreed, by the major version of Node. */
const limits = {
  version: () => 1.4,
  expiry: (major) => (major >= 22 ? 1.9 : 2.9),
  expiryCluster: (major) => (major >= 22 ? 1.35 : undefined),
  expiryKubectl: (major) => (major >= 22 ? 1.2 : undefined),
  statusCluster: (major) => (major >= 22 ? 1.6 : undefined),
};

/**
 * A case is `{name, by, words, env, against, prepare?}`. Of `against` each is `{of, limit?}`: the case that
 * it is a multiple of, and the most that it may be.
 * @param site `{nodes, tools, access, certs, folder}`; `certs` holds a bundle, `folder` is for what is written
 */
export function startUpCases(site) {
  const rivals = rivalCases(site);
  const environments = [{ env: clean, suffix: '' }];
  if (withExtraRoots) environments.push({ env: withExtraRoots, suffix: ' + NODE_EXTRA_CA_CERTS' });
  return [
    ...Object.values(rivals),
    ...site.nodes.flatMap((node) =>
      environments.flatMap(({ env, suffix }) => nodeCases(site, rivals, node, env, `${node.label}${suffix}`)),
    ),
  ];
}

/** Limits hold in a clean environment. */
function nodeCases({ access, certs, folder }, rivals, node, env, by) {
  const { kubeconfig, url, ca, cert, key } = access;
  const bare = { name: '`node -e 0`', by, words: [node.path, '-e', '0'], env, against: [] };
  const https = {
    name: '`bench/floor-https.mjs`',
    by,
    words: [node.path, join(here, 'floor-https.mjs'), url, ca, cert, key, secretPath],
    env,
    against: [{ of: bare }],
  };
  const limitOf = (kind) => (env === clean && kind ? limits[kind](node.major) : undefined);
  const command = (name, words, against, more = {}) => ({
    name: `\`${name}\``,
    by,
    words: [...node.program, ...words],
    env,
    against: against.filter(({ of }) => of).map(({ of, limit }) => ({ of, limit: limitOf(limit) })),
    ...more,
  });
  const cluster = ['--kubeconfig', kubeconfig];
  const renewed = join(folder, 'renewed');
  const layAnew = () => {
    for (const path of [renewed, `${renewed}.mtls`]) rmSync(path, { recursive: true, force: true });
    cpSync(certs, renewed, { recursive: true });
  };
  return [
    bare,
    https,
    command('--version', ['--version'], [{ of: bare, limit: 'version' }, { of: rivals.daprVersion }]),
    command('--help', ['--help'], [{ of: bare }]),
    command(
      'mtls expiry --dir',
      ['mtls', 'expiry', '--dir', certs],
      [{ of: bare, limit: 'expiry' }, { of: rivals.opensslExpiry }, { of: rivals.stepExpiry }],
    ),
    command(
      'mtls check --dir',
      ['mtls', 'check', '--dir', certs, '--fail-on', 'never'],
      [{ of: bare }, { of: rivals.opensslVerify }],
    ),
    command(
      'renew-certificate --dir --settle 0',
      ['mtls', 'renew-certificate', '--dir', renewed, '--settle', '0'],
      [{ of: bare }, { of: rivals.opensslRenew }],
      { prepare: layAnew },
    ),
    command(
      'mtls expiry -k',
      ['mtls', 'expiry', '-k', ...cluster],
      [
        { of: bare },
        { of: https, limit: 'expiryCluster' },
        { of: rivals.kubectlSecret, limit: 'expiryKubectl' },
        { of: rivals.curlSecret },
        { of: rivals.daprExpiry },
      ],
    ),
    command('mtls -k', ['mtls', '-k', ...cluster], [{ of: https }, { of: rivals.daprMtls }]),
    command(
      'status -k',
      ['status', '-k', ...cluster],
      [{ of: https, limit: 'statusCluster' }, { of: rivals.kubectlPods }, { of: rivals.daprStatus }],
    ),
  ];
}

function rivalCases({ tools, access, certs, folder }) {
  const { kubeconfig } = access;
  const env = { ...clean, KUBECONFIG: kubeconfig };
  const cases = {};
  const add = (key, tool, words, shown = words.join(' ')) => {
    if (!tools[tool]) return;
    const by = `${tool} ${tools[tool].version}`;
    cases[key] = { name: `\`${tool} ${shown}\``, by, words: [tools[tool].path, ...words], env, against: [] };
  };
  const [ca, issuer] = ['ca.crt', 'issuer.crt'].map((name) => join(certs, name));
  add('opensslExpiry', 'openssl', ['x509', '-enddate', '-noout', '-in', ca], 'x509 -enddate');
  add('opensslVerify', 'openssl', ['verify', '-CAfile', ca, issuer], 'verify');
  add('stepExpiry', 'step', ['certificate', 'inspect', '--short', ca], 'certificate inspect');
  add(
    'kubectlSecret',
    'kubectl',
    ['get', 'secret', '-n', 'dapr-system', 'dapr-trust-bundle', '-o', 'json'],
    'get secret',
  );
  add('kubectlPods', 'kubectl', ['get', 'pods', '-n', 'dapr-system'], 'get pods -n dapr-system');
  add('curlSecret', 'curl', curlWords(access, secretPath), 'of the Secret');
  add('daprVersion', 'dapr', ['--version']);
  add('daprExpiry', 'dapr', ['mtls', 'expiry']);
  add('daprMtls', 'dapr', ['mtls', '-k']);
  add('daprStatus', 'dapr', ['status', '-k']);
  if (tools.openssl) cases.opensslRenew = opensslRenew(tools.openssl, join(folder, 'by-openssl'));
  return cases;
}

/** A root, an issuer below it, and their keys: what the recipe of Dapr's documentation types. */
function opensslRenew({ path, version }, stem) {
  const key = 'ecparam -genkey -name prime256v1 -noout -out';
  const lines = [
    `${key} ${stem}-root.key`,
    `req -x509 -new -key ${stem}-root.key -days 365 -subj /CN=root -out ${stem}-root.crt`,
    `${key} ${stem}-issuer.key`,
    `req -new -key ${stem}-issuer.key -subj /CN=issuer -out ${stem}-issuer.csr`,
    `x509 -req -in ${stem}-issuer.csr -CA ${stem}-root.crt -CAkey ${stem}-root.key -CAcreateserial -days 365 -out ${stem}-issuer.crt`,
  ];
  const script = lines.map((line) => `"$0" ${line}`).join(' && ');
  const words = ['/bin/sh', '-c', `(${script}) 2>/dev/null`, path];
  return { name: '`openssl`, five times', by: `openssl ${version}`, words, env: clean, against: [] };
}

const podsPath = '/api/v1/pods?labelSelector=dapr.io%2Fsidecar-injected%3Dtrue';
const protobuf = 'application/vnd.kubernetes.protobuf';

/**
 * The audit of so many pods, and what it is held against. A limit is only for the largest list and the real
 * server: the tests' own spends most of the time on making the list.
 */
export function auditCases({ nodes, tools, access }, pods, isLimited) {
  const many = pods.toLocaleString('en');
  const curl = tools.curl && {
    name: `\`curl\` of ${many} pods in protobuf, thrown away`,
    by: `curl ${tools.curl.version}`,
    words: [tools.curl.path, ...curlWords(access, podsPath, protobuf)],
    env: clean,
    against: [],
  };
  const kubectl = tools.kubectl && {
    name: `\`kubectl get pods -A -o json\` of ${many}`,
    by: `kubectl ${tools.kubectl.version}`,
    words: [tools.kubectl.path, '--kubeconfig', access.kubeconfig, 'get', 'pods', '-A', '-o', 'json'],
    env: clean,
    against: [],
    // Half a minute for the largest.
    rounds: pods > 1000 ? 1 : 3,
    isPeakAsked: pods <= 1000,
  };
  const audits = nodes.map(({ label, program }) => ({
    name: `\`mtls audit\` of ${many} pods`,
    by: label,
    words: [...program, ...auditWords(access)],
    env: clean,
    against: [{ of: curl, limit: isLimited ? 1.8 : undefined }, { of: kubectl }].filter(({ of }) => of),
    isPeakAsked: true,
    peakLimitMb: isLimited ? 100 : undefined,
  }));
  return [curl, kubectl, ...audits].filter(Boolean);
}

export function auditWords({ kubeconfig }, ...more) {
  return ['mtls', 'audit', '-k', '--kubeconfig', kubeconfig, '--fail-on', 'never', ...more];
}

/** HTTP/1.1, because it is the quicker one here. */
function curlWords({ url, ca, cert, key }, path, accept = 'application/json') {
  const login = ['--cacert', ca, '--cert', cert, '--key', key];
  return [
    '--silent',
    '--fail',
    '--http1.1',
    '--output',
    '/dev/null',
    ...login,
    '--header',
    `Accept: ${accept}`,
    `${url}${path}`,
  ];
}
