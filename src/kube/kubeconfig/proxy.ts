import { BlockList, isIP } from 'node:net';
import { DaprMtlsError } from '../../errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy on the way to a server: the cluster's own, which nothing overrides, else what the
 * environment says, read as Go's net/http does.
 * @throws DaprMtlsError `cluster.kubeconfig`
 */
export function proxyFor(url: URL, proxyUrl: string | undefined, env: Environment): URL | undefined {
  if (proxyUrl !== undefined) return readProxyUrl(proxyUrl, 'proxy-url');
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const fromEnvironment = env[name] || env[name.toLowerCase()];
  if (!fromEnvironment || bypassesProxy(url, env.NO_PROXY || env.no_proxy || '')) return undefined;
  return readProxyUrl(fromEnvironment, name);
}

const schemes = new Set(['http:', 'https:', 'socks5:', 'socks5h:']);

function readProxyUrl(text: string, origin: string): URL {
  const withScheme = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url && schemes.has(url.protocol) && url.hostname) return url;
  // Not the text itself: it may hold a password.
  throw new DaprMtlsError('cluster.kubeconfig', {
    message: `${origin} is not the address of a proxy`,
    hint: 'Write it as http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT.',
  });
}

/**
 * NO_PROXY is a list of: `*`; addresses; networks as 10.0.0.0/8; names, which stand for what is
 * below them, too; names with a dot before them, which stand for that alone. Each may end in a port.
 * This machine itself is never reached through a proxy.
 */
export function bypassesProxy(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || isIn(host, '127.0.0.0/8') || host === '::1') return true;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter(Boolean)
    .some((entry) => matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isIn(host, entry);
  const [, name = '', entryPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(isIP(entry) ? `[${entry}]` : entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  if (isIP(name)) return host === name;
  const domain = name.replace(/^\*?\./, '');
  if (host.endsWith(`.${domain}`)) return true;
  return domain === name && host === name;
}

function isIn(host: string, network: string): boolean {
  const [address = '', prefix = ''] = network.split('/');
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(prefix)) return false;
  if (Number(prefix) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, Number(prefix), type);
  return list.check(host, type);
}
