import type { MtlsCommand } from '../cli/mtls-command.ts';

type CommandClass = { new (argv: string[], config: never): MtlsCommand; id: string };
type Loader = () => Promise<{ default: CommandClass }>;

/** Every command and how to load it. Only the one that is asked for is loaded. */
export const commandTable = {
  'mtls check': () => import('./mtls/check.ts'),
  'mtls expiry': () => import('./mtls/expiry.ts'),
  'mtls init': () => import('./mtls/init.ts'),
  'mtls renew-certificate': () => import('./mtls/renew-certificate.ts'),
} as const satisfies Record<string, Loader>;

/** Other names for the same command, upstream's among them. */
export const aliases: Readonly<Record<string, keyof typeof commandTable>> = {
  'mtls renew-cert': 'mtls renew-certificate',
  'mtls rnc': 'mtls renew-certificate',
};
