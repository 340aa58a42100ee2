import { DaprMtlsError } from '../../errors.ts';

/**
 * What is missing of a pod's log. absent: there is none, because the container has not started or has no
 * predecessor. unreadable: there may be one. cut: it broke off for good behind the lines that were told.
 */
export interface LogGap {
  readonly pod: string;
  readonly kind: 'absent' | 'unreadable' | 'cut';
  readonly error: DaprMtlsError;
}

interface Asked {
  readonly namespace: string;
  readonly services: readonly string[];
  readonly previous: boolean;
}

export function describeGap({ pod, kind, error }: LogGap): string {
  return kind === 'cut'
    ? `The rest of the log of pod ${pod} is missing: ${error.message}`
    : `Pod ${pod} is left out: ${error.message}`;
}

/**
 * A pod that is left out leaves the others whole, and that is well while one of them has told something. A
 * log that broke off looks like a whole one to whoever reads the lines alone: the exit code has to tell.
 * @param pods whose logs were asked for
 */
export function failureOf(asked: Asked, gaps: readonly LogGap[], pods: number): DaprMtlsError | undefined {
  const cut = gaps.filter(({ kind }) => kind === 'cut');
  if (cut.length > 0) return brokeOff(asked, cut);
  if (pods === 0 || gaps.length < pods) return undefined;
  return gaps.every(({ kind }) => kind === 'absent') ? noLogs(asked, pods) : noneRead(asked, gaps, pods);
}

function noLogs(asked: Asked, pods: number): DaprMtlsError {
  const { previous } = asked;
  return new DaprMtlsError('dapr.missing', {
    message: `${pods === 1 ? 'the only pod has no log' : `none of the ${pods} pods has a log`}${previous ? ' of a container that ran before' : ''}`,
    hint: previous
      ? 'Leave -p out for the log of the containers that run now.'
      : `See why: \`kubectl describe pods ${selection(asked)}\`.`,
  });
}

function noneRead(asked: Asked, gaps: readonly LogGap[], pods: number): DaprMtlsError {
  return new DaprMtlsError('cluster.rejected', {
    message: `no log could be read of ${pods === 1 ? 'the only pod' : `any of the ${pods} pods`}`,
    hint: seeNodes(asked),
    cause: gaps.find(({ kind }) => kind === 'unreadable')?.error,
  });
}

function brokeOff(asked: Asked, cut: readonly LogGap[]): DaprMtlsError {
  const names = cut.map(({ pod }) => pod).sort();
  return new DaprMtlsError('cluster.rejected', {
    message: `the log of ${names.join(' and ')} broke off, and what stands behind the last line of it is missing`,
    hint: seeNodes(asked),
    cause: cut[0]?.error,
  });
}

function seeNodes(asked: Asked): string {
  return `Try again; if it stays so, see whether the nodes are there: \`kubectl get pods ${selection(asked)} -o wide\`.`;
}

function selection({ namespace, services }: Asked): string {
  return `-n ${namespace} -l 'app in (${services.join(',')})'`;
}
