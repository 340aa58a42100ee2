import { Counter, Gauge, Registry } from 'prom-client';
import type { Observation } from '../../app/observation/observation.ts';

/** Prometheus' text format, as node_exporter's textfile collector reads it. */
export async function renderPrometheus({ metrics }: Pick<Observation, 'metrics'>): Promise<string> {
  const registry = new Registry();
  for (const { name, type, help, samples } of metrics) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const configuration = { name, help, labelNames, registers: [registry] };
    const { metric, tell } = type === 'counter' ? counter(configuration) : gauge(configuration);
    // Without labels prom-client begins at 0, which would be a figure that nobody has read.
    metric.reset();
    if (samples.length === 0) metric.remove();
    for (const { labels, value } of samples) tell(labels, value);
  }
  return await registry.metrics();
}

type Labels = Readonly<Record<string, string>>;

function gauge(configuration: ConstructorParameters<typeof Gauge>[0]) {
  const metric = new Gauge(configuration);
  return { metric, tell: (labels: Labels, value: number) => metric.set(labels, value) };
}

function counter(configuration: ConstructorParameters<typeof Counter>[0]) {
  const metric = new Counter(configuration);
  return { metric, tell: (labels: Labels, value: number) => metric.inc(labels, value) };
}
