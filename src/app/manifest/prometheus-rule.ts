import type { AlertThresholds } from './alert.ts';
import { makeAlertGroups } from './alerts.ts';
import { type Labels, labelsOf, type ManifestObject, type Place } from './object.ts';

/** Pure: the rules for the operator of Prometheus, which takes those whose labels it is told to take. */
export function makePrometheusRule(own: Place, labels: Labels, thresholds: AlertThresholds): ManifestObject {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { ...own, labels: { ...labelsOf('alerts'), ...labels } },
    spec: { groups: makeAlertGroups(thresholds) },
  };
}
