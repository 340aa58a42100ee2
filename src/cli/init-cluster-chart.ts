import { existsSync } from 'node:fs';
import { DaprMtlsError } from '../errors.ts';
import type { FileNames } from '../store/file-names.ts';
import { daprChart } from './helm/dapr-chart.ts';
import type { ChartFlags } from './init-cluster-flags.ts';

/** The chart to install on a bundle that is laid. */
export interface ChartWish {
  readonly flags: ChartFlags;
  readonly namespace: string;
  readonly trustDomain: string;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

/** The name that the official CLI gives the release (pkg/kubernetes/kubernetes.go). */
export const releaseName = 'dapr';
const defaultTrustDomain = 'cluster.local';

/** What `--set` says of a value; the last one counts, as in Helm. */
export function findSetValue(sets: readonly string[], key: string): string | undefined {
  return assignmentsOf(sets).findLast(([name]) => name === key)?.[1];
}

function assignmentsOf(sets: readonly string[]): [key: string, value: string][] {
  return sets
    .flatMap((words) => words.split(/(?<!\\),/))
    .map((assignment) => {
      const at = assignment.indexOf('=');
      return at < 0 ? [assignment, ''] : [assignment.slice(0, at), assignment.slice(at + 1)];
    });
}

/** How the chart is told to name the keys of Secret and ConfigMap. */
export function fileNamesOf(sets: readonly string[], fallback: FileNames): FileNames {
  const name = (part: string) => findSetValue(sets, `global.issuerFilenames.${part}`) || undefined;
  return {
    anchors: name('ca') ?? fallback.anchors,
    issuerChain: name('cert') ?? fallback.issuerChain,
    issuerKey: name('key') ?? fallback.issuerKey,
  };
}

/**
 * The trust domain that the chart gives Sentry: it has to be that of the certificates.
 * @throws DaprMtlsError `usage.invalid` where two flags disagree
 */
export function chooseTrustDomain(asked: string | undefined, sets: readonly string[]): string {
  const ofChart = findSetValue(sets, trustDomainKey);
  if (asked !== undefined && ofChart !== undefined && asked !== ofChart) {
    throw new DaprMtlsError('usage.invalid', {
      message: `--trust-domain says ${asked}, and --set ${trustDomainKey} says ${ofChart}`,
      hint: 'Give one of them: the other follows.',
    });
  }
  return asked ?? ofChart ?? defaultTrustDomain;
}

const trustDomainKey = 'global.mtls.controlPlaneTrustDomain';

/**
 * The certificates are no values of the chart: a release that holds them puts them back at every
 * upgrade, and holds the issuer's key in clear.
 * @throws DaprMtlsError `usage.invalid`
 */
export function assertNoTrustValues(sets: readonly string[]): void {
  const found = assignmentsOf(sets).find(([key]) => /^dapr_sentry(\.tls(\..*)?)?$/.test(key));
  if (!found) return;
  throw new DaprMtlsError('usage.invalid', {
    message: `--set ${found[0]} would store certificates in the Helm release`,
    hint: 'Give them with --ca-root-certificate, --issuer-public-certificate and --issuer-private-key: they are laid beside the release.',
  });
}

/**
 * The words after the official `dapr`. It gets no certificates: without them its chart leaves the data
 * of Secret and ConfigMap alone. Values that it does not know as flags go as --set.
 */
export function officialArguments({ flags, namespace, trustDomain }: ChartWish): string[] {
  // Scripts write `--image-variant ""` for none.
  const word = (name: 'runtime-version' | 'dashboard-version' | 'image-registry' | 'image-variant') =>
    flags[name] ? [`--${name}`, flags[name]] : [];
  return [
    ...['init', '--kubernetes', '--namespace', namespace],
    `--enable-mtls=${flags['enable-mtls']}`,
    `--enable-ha=${flags['enable-ha']}`,
    ...(flags.dev ? ['--dev'] : []),
    ...word('runtime-version'),
    ...word('dashboard-version'),
    ...word('image-registry'),
    ...word('image-variant'),
    ...setWords(flags.set, trustDomain),
    ...(flags.wait ? ['--wait'] : []),
    ...['--timeout', String(flags.timeout)],
    ...(flags['log-as-json'] ? ['--log-as-json'] : []),
  ];
}

/**
 * The words after `helm`, with the values that the official CLI gives the chart
 * (`daprChartValues` in its pkg/kubernetes/kubernetes.go).
 * @throws DaprMtlsError `usage.invalid` for what only the official CLI can do
 */
export function helmArguments(wish: ChartWish, env: NodeJS.ProcessEnv): string[] {
  const { flags, namespace, trustDomain, kubeconfig, context } = wish;
  const { 'helm-chart': chart } = flags;
  assertPossibleByHelm(flags);
  const asked = flags['runtime-version'] || 'latest';
  const version = asked === 'latest' ? undefined : asked.replace(/^v/, '');
  const isLocal = chart !== undefined && existsSync(chart);
  const registry = flags['image-registry']?.trim() || registryOf(env);
  const values = [
    `global.ha.enabled=${flags['enable-ha']}`,
    `global.mtls.enabled=${flags['enable-mtls']}`,
    ...(version === undefined ? [] : [`global.tag=${[version, flags['image-variant']].filter(Boolean).join('-')}`]),
    ...(registry === undefined ? [] : [`global.registry=${registry}`]),
  ];
  return [
    ...['install', releaseName],
    ...(chart === undefined ? daprChart(env) : [chart]),
    ...['--namespace', namespace],
    ...(version === undefined || isLocal ? [] : ['--version', version]),
    ...values.flatMap((value) => ['--set', value]),
    ...setWords(flags.set, trustDomain),
    ...(flags.wait ? ['--wait'] : []),
    ...['--timeout', `${flags.timeout}s`],
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--kube-context', context]),
  ];
}

function setWords(sets: readonly string[], trustDomain: string): string[] {
  const isSaid = trustDomain === defaultTrustDomain || findSetValue(sets, trustDomainKey) !== undefined;
  return [...(isSaid ? [] : [`${trustDomainKey}=${trustDomain}`]), ...sets].flatMap((value) => ['--set', value]);
}

function assertPossibleByHelm(flags: ChartFlags): void {
  const refuse = (message: string, hint: string) => new DaprMtlsError('usage.invalid', { message, hint });
  if (flags.dev) {
    throw refuse(
      '--dev also installs Redis, Zipkin and components, which is for the official dapr to do',
      'Install the official dapr CLI, and leave --context and --helm-chart out; or leave --dev out.',
    );
  }
  if (flags['dashboard-version']) {
    throw refuse(
      '--dashboard-version is of no use to helm: the dashboard has a chart of its own',
      'Leave it out, then: helm install dapr-dashboard dapr-dashboard --repo https://dapr.github.io/helm-charts',
    );
  }
  if (flags['image-variant'] && (flags['runtime-version'] || 'latest') === 'latest') {
    throw refuse(
      '--image-variant is a part of the tag of the images, and the version is not given',
      'Name it: --runtime-version VERSION.',
    );
  }
}

/** @throws DaprMtlsError `usage.invalid` in the official CLI's words */
function registryOf(env: NodeJS.ProcessEnv): string | undefined {
  const name = env.DAPR_DEFAULT_IMAGE_REGISTRY?.toLowerCase();
  if (!name) return undefined;
  if (name === 'ghcr') return 'ghcr.io/dapr';
  throw new DaprMtlsError('usage.invalid', {
    message: 'environment variable "DAPR_DEFAULT_IMAGE_REGISTRY" can only be set to GHCR',
    hint: 'Unset it, or name the registry with --image-registry.',
  });
}

/** @throws DaprMtlsError `usage.invalid` in the official CLI's words */
export function assertImageVariant(variant: string | undefined): void {
  if (variant === undefined || variant === '' || variant === 'mariner') return;
  throw new DaprMtlsError('usage.invalid', {
    message: `image variant ${variant} is not supported`,
    hint: 'There is one: --image-variant mariner.',
  });
}
