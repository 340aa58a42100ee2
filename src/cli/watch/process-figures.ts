import type { Metric } from '../../app/observation/observation.ts';

/** Of prom-client's default set those that cost nothing; its lag of the event loop wakes an idle process. */
export function describeProcess(): Metric[] {
  const { user, system } = process.cpuUsage();
  const single = (value: number, labels: Record<string, string> = {}) => [{ labels, value }];
  return [
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Total user and system CPU time spent in seconds.',
      samples: single((user + system) / 1e6),
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory size in bytes.',
      samples: single(process.memoryUsage.rss()),
    },
    {
      name: 'process_start_time_seconds',
      help: 'Start time of the process since unix epoch in seconds.',
      samples: single(Math.round(Date.now() / 1000 - process.uptime())),
    },
    {
      name: 'nodejs_version_info',
      help: 'Node.js version info.',
      samples: single(1, { version: process.version }),
    },
  ];
}
