import { type FindingCode, findingTable } from '../../pki/rules/finding.ts';
import type { CheckReport } from '../check/check.ts';
import { count } from '../count.ts';
import { commonMetrics, countFigures, nameStore, type Observation } from './observation.ts';

/** Every rule that concerns such a store is a check of its own, so that who counts sees what was looked at. */
export function observeCheck({ store, at, findings, summary }: CheckReport): Observation {
  const codes = (Object.keys(findingTable) as FindingCode[]).filter((code) => concerns(code, store.kind));
  return {
    command: 'check',
    place: nameStore(store),
    at,
    verdict:
      summary.error + summary.warning === 0
        ? 'Sentry and its clients accept this bundle'
        : `${count(summary.error, 'error')}, ${count(summary.warning, 'warning')}`,
    checks: codes.map((code) => ({ name: code, findings: findings.filter((found) => found.code === code) })),
    metrics: commonMetrics('check', at, findings),
    performance: countFigures(['error', 'warning', 'info'], summary, { warn: ['warning'], critical: 'error' }),
  };
}

const inDirectoriesAlone = new Set<FindingCode>(['store.key-readable', 'store.root-key-beside', 'store.config-inside']);

function concerns(code: FindingCode, kind: CheckReport['store']['kind']): boolean {
  return kind === 'cluster' ? !inDirectoriesAlone.has(code) : !/^(cluster|owner)\./.test(code);
}
