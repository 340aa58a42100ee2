import { DaprMtlsError } from '../errors.ts';

export interface SentryAddress {
  readonly host: string;
  readonly port: number;
  /** `--sentry-address` has named it; else it is where sidecars in the cluster look for it. */
  readonly isNamed: boolean;
}

const defaultPort = 50_001;

/** `host`, `host:port`, `[::1]:port`. @throws DaprMtlsError `usage.invalid` */
export function parseSentryAddress(text: string): Omit<SentryAddress, 'isNamed'> {
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host !== undefined && port > 0 && port < 65_536) return { host, port };
  throw new DaprMtlsError('usage.invalid', {
    message: `--sentry-address ${text} is not an address`,
    hint: 'Write host:port, for example localhost:50001 beside `kubectl port-forward -n dapr-system svc/dapr-sentry 50001:443`.',
  });
}
