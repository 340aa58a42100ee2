import { makeLines, makeStat, makeThresholds } from './panel.ts';
import { makeFindingsTable, makeLeadTimeline, makeValidityTable } from './tables.ts';

/** What is chosen at the top; an empty label of a lone Prometheus or a lone cluster matches "All", too. */
const scope = 'cluster=~"$cluster", instance=~"$instance"';
/** One bundle each, however many replicas tell of it. */
const place = 'cluster, context, instance';

const expiry = `dapr_mtls_certificate_expiry_timestamp_seconds{${scope}}`;
const deciding = `dapr_mtls_certificate_expiry_timestamp_seconds{${scope}, role=~"root|issuer"}`;
const notBefore = `dapr_mtls_certificate_not_before_timestamp_seconds{${scope}}`;
const certificate = `${place}, role, subject, fingerprint`;

/** Above what has to be seen at a glance, below it how that came. */
export function makePanels(): object[] {
  return [
    makeStat(
      {
        title: 'Days to the end',
        description: 'Of the certificates by which everything is verified: the root, and the issuer below it.',
        gridPos: { h: 5, w: 10, x: 0, y: 0 },
        queries: [{ expr: `(min by (role) (${deciding}) - time()) / 86400`, legendFormat: '{{role}}', instant: true }],
      },
      { unit: 'd', decimals: 1, thresholds: makeThresholds('red', [7, 'orange'], [30, 'green']) },
    ),
    makeStat(
      {
        title: 'Sidecars behind',
        description: 'They lack the root; broken ones verify none of their peers. `dapr-mtls audit -k` names them.',
        gridPos: { h: 5, w: 5, x: 10, y: 0 },
        queries: [
          {
            expr: `sum(max by (${place}) (dapr_mtls_stale_sidecars{${scope}}))`,
            legendFormat: 'behind',
            instant: true,
          },
        ],
      },
      { unit: 'short', thresholds: makeThresholds('green', [1, 'red']) },
    ),
    makeStat(
      {
        title: 'Errors found',
        description: 'Findings of severity error: Sentry exits or replaces the bundle, or calls fail.',
        gridPos: { h: 5, w: 4, x: 15, y: 0 },
        queries: [
          {
            expr: `sum(max by (${place}, command, code) (dapr_mtls_findings{${scope}, severity="error"})) or vector(0)`,
            legendFormat: 'errors',
            instant: true,
          },
        ],
      },
      { unit: 'short', thresholds: makeThresholds('green', [1, 'red']) },
    ),
    makeStat(
      {
        title: 'Last read',
        description: 'How old what is shown here is, by the command that read it.',
        gridPos: { h: 5, w: 5, x: 19, y: 0 },
        queries: [
          {
            expr: `time() - min by (command) (max by (${place}, command) (dapr_mtls_last_successful_read_timestamp_seconds{${scope}}))`,
            legendFormat: '{{command}}',
            instant: true,
          },
        ],
      },
      { unit: 's', thresholds: makeThresholds('green', [3600, 'orange'], [86_400, 'red']) },
    ),
    makeValidityTable({
      title: 'Validity of every certificate',
      description: 'Anchors that nobody needs any more may end; see `dapr-mtls check -k`.',
      gridPos: { h: 8, w: 24, x: 0, y: 5 },
      queries: [
        { expr: `max by (${certificate}) (${notBefore}) * 1000`, instant: true, format: 'table' },
        { expr: `max by (${certificate}) (${expiry}) * 1000`, instant: true, format: 'table' },
        { expr: `max by (${certificate}) (${expiry}) - time()`, instant: true, format: 'table' },
      ],
    }),
    makeLines(
      {
        title: 'Sidecars by state',
        description:
          'current: holds the root. stale: lacks it. broken: verifies none of its peers. unknown: does not tell.',
        gridPos: { h: 9, w: 12, x: 0, y: 13 },
        queries: [
          {
            expr: `sum by (state) (max by (${place}, state) (dapr_mtls_sidecars{${scope}}))`,
            legendFormat: '{{state}}',
          },
        ],
      },
      {
        unit: 'short',
        isStacked: true,
        colors: { current: 'green', stale: 'orange', broken: 'red', unknown: 'text' },
      },
    ),
    makeLines(
      {
        title: 'Days to the end over time',
        description: 'A step up is a renewal.',
        gridPos: { h: 9, w: 12, x: 12, y: 13 },
        queries: [{ expr: `(min by (role) (${deciding}) - time()) / 86400`, legendFormat: '{{role}}' }],
      },
      { unit: 'd' },
    ),
    makeFindingsTable({
      title: 'Findings',
      description: 'docs/findings.md tells what each code means, `dapr-mtls check -k` how to mend it.',
      gridPos: { h: 8, w: 12, x: 0, y: 22 },
      queries: [
        {
          expr: `max by (severity, code, command) (dapr_mtls_findings{${scope}})`,
          instant: true,
          format: 'table',
        },
      ],
    }),
    makeLeadTimeline({
      title: 'Which watcher has the lead',
      description: 'All replicas look and serve figures; the one that leads writes warnings and events.',
      gridPos: { h: 4, w: 12, x: 12, y: 22 },
      queries: [{ expr: `dapr_mtls_watch_leader{${scope}}`, legendFormat: '{{instance}} {{pod}}' }],
    }),
    makeLines(
      {
        title: 'What the watcher did, each hour',
        description: 'Changes seen, warnings told, looks that failed.',
        gridPos: { h: 4, w: 12, x: 12, y: 26 },
        queries: ['changes', 'warnings', 'failed_reads'].map((what) => ({
          expr: `sum(increase(dapr_mtls_watch_${what}_total{${scope}}[1h]))`,
          legendFormat: what.replace('_', ' '),
        })),
      },
      { unit: 'short' },
    ),
  ];
}
