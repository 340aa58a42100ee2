import type { MtlsCommand } from '../cli/mtls-command.ts';

type CommandClass = { new (argv: string[], config: never): MtlsCommand; id: string };
type Loader = () => Promise<{ default: CommandClass }>;

/** Every command and how to load it. Only the one that is asked for is loaded. */
export const commandTable = {
  init: () => import('./init.ts'),
  mtls: () => import('./mtls.ts'),
  'mtls audit': () => import('./mtls/audit.ts'),
  'mtls backup create': () => import('./mtls/backup/create.ts'),
  'mtls backup list': () => import('./mtls/backup/list.ts'),
  'mtls backup prune': () => import('./mtls/backup/prune.ts'),
  'mtls backup restore': () => import('./mtls/backup/restore.ts'),
  'mtls check': () => import('./mtls/check.ts'),
  'mtls completion': () => import('./mtls/completion.ts'),
  'mtls config check': () => import('./mtls/config/check.ts'),
  'mtls config set': () => import('./mtls/config/set.ts'),
  'mtls config view': () => import('./mtls/config/view.ts'),
  'mtls env': () => import('./mtls/env.ts'),
  'mtls expiry': () => import('./mtls/expiry.ts'),
  'mtls explain': () => import('./mtls/explain.ts'),
  'mtls export': () => import('./mtls/export.ts'),
  'mtls init': () => import('./mtls/init.ts'),
  'mtls inspect': () => import('./mtls/inspect.ts'),
  'mtls logs': () => import('./mtls/logs.ts'),
  'mtls manifest cronjob': () => import('./mtls/manifest/cronjob.ts'),
  'mtls manifest grafana-dashboard': () => import('./mtls/manifest/grafana-dashboard.ts'),
  'mtls manifest network-policy': () => import('./mtls/manifest/network-policy.ts'),
  'mtls manifest prometheus-rule': () => import('./mtls/manifest/prometheus-rule.ts'),
  'mtls manifest rotate': () => import('./mtls/manifest/rotate.ts'),
  'mtls manifest watch': () => import('./mtls/manifest/watch.ts'),
  'mtls probe': () => import('./mtls/probe.ts'),
  'mtls renew-certificate': () => import('./mtls/renew-certificate.ts'),
  'mtls repair': () => import('./mtls/repair.ts'),
  'mtls report': () => import('./mtls/report.ts'),
  'mtls restart': () => import('./mtls/restart.ts'),
  'mtls rotate confirm': () => import('./mtls/rotate/confirm.ts'),
  'mtls rotate plan': () => import('./mtls/rotate/plan.ts'),
  'mtls rotate run': () => import('./mtls/rotate/run.ts'),
  'mtls rotate status': () => import('./mtls/rotate/status.ts'),
  'mtls rotate undo': () => import('./mtls/rotate/undo.ts'),
  'mtls status': () => import('./status.ts'),
  'mtls watch': () => import('./mtls/watch.ts'),
} as const satisfies Record<string, Loader>;

/** Other names for the same command, upstream's among them. */
export const aliases: Readonly<Record<string, keyof typeof commandTable>> = {
  'mtls renew-cert': 'mtls renew-certificate',
  'mtls rnc': 'mtls renew-certificate',
  status: 'mtls status',
};
