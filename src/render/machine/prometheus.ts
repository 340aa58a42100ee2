import { Gauge, Registry } from 'prom-client';
import type { Observation } from '../../app/observation/observation.ts';

/** Prometheus' text format, as node_exporter's textfile collector reads it. */
export async function renderPrometheus({ metrics }: Observation): Promise<string> {
  const registry = new Registry();
  for (const { name, help, samples } of metrics) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    // Without labels prom-client begins at 0, which would be a figure that nobody has read.
    gauge.reset();
    if (samples.length === 0) gauge.remove();
    for (const { labels, value } of samples) gauge.set(labels, value);
  }
  return await registry.metrics();
}
