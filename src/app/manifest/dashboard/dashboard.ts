import { type Labels, labelsOf, type ManifestObject, type Place } from '../object.ts';
import { datasource } from './panel.ts';
import { makePanels } from './panels.ts';

/** Pure: a dashboard of Grafana, as it is imported. */
export function makeDashboard(): object {
  return {
    uid: 'dapr-mtls',
    title: 'Dapr mTLS',
    description: "When Dapr's root of trust ends, who has followed it, and what is wrong with it.",
    tags: ['dapr', 'mtls'],
    schemaVersion: 42,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: '1m',
    time: { from: 'now-24h', to: 'now' },
    annotations: { list: [] },
    links: [],
    templating: { list: [datasourceVariable, ...['cluster', 'instance'].map(makeLabelVariable)] },
    panels: makePanels().map((panel, index) => ({ id: index + 1, ...panel })),
  };
}

/** Pure: for the sidecar of Grafana's chart, which takes ConfigMaps by their label. */
export function makeDashboardConfigMap(own: Place, labels: Labels): ManifestObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...own, labels: { ...labelsOf('dashboard'), ...labels } },
    data: { 'dapr-mtls.json': `${JSON.stringify(makeDashboard(), undefined, 2)}\n` },
  };
}

const datasourceVariable = {
  name: 'datasource',
  label: 'Prometheus',
  type: 'datasource',
  query: 'prometheus',
  refresh: 1,
  includeAll: false,
  multi: false,
};

function makeLabelVariable(label: string): object {
  const query = `label_values(dapr_mtls_last_successful_read_timestamp_seconds, ${label})`;
  return {
    name: label,
    label,
    type: 'query',
    datasource,
    query: { query, refId: 'StandardVariableQuery' },
    refresh: 2,
    sort: 1,
    includeAll: true,
    allValue: '.*',
    multi: true,
    current: { text: 'All', value: '$__all' },
  };
}
