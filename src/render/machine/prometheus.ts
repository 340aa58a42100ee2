import { Counter, Gauge, Registry } from 'prom-client';
import type { Observation } from '../../app/observation/observation.ts';

/** Prometheus' text format, as node_exporter's textfile collector reads it. */
export async function renderPrometheus({ metrics }: Pick<Observation, 'metrics'>): Promise<string> {
  const registry = new Registry();
  for (const { name, type, help, samples } of metrics) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const configuration = { name, help, labelNames, registers: [registry] };
    const metric = type === 'counter' ? new Counter(configuration) : new Gauge(configuration);
    // Without labels prom-client begins at 0, which would be a figure that nobody has read.
    metric.reset();
    if (samples.length === 0) metric.remove();
    for (const { labels, value } of samples) metric.inc(labels, value);
  }
  return await registry.metrics();
}
