import { DaprMtlsError } from '../../errors.ts';

export interface ListenAddress {
  /** Undefined: every address of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Reads `9090`, `:9090`, `127.0.0.1:9090`, `[::1]:9090`. @throws DaprMtlsError `usage.invalid` */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:(?:\[([0-9a-f:.%]+)\]|([^\s:[\]]*)):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match && port <= 65_535) return { host: match[1] || match[2] || undefined, port };
  throw new DaprMtlsError('usage.invalid', {
    message: `--listen ${text} is no address to listen on`,
    hint: 'Write a port, 9090, or an address with it: 127.0.0.1:9090, [::1]:9090.',
  });
}
