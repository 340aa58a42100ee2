import type { Agent, AgentOptions } from 'node:https';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';

/** Connections through a proxy. What is spoken through it is TLS from end to end. */
export function proxyAgent(proxy: URL, options: AgentOptions = { keepAlive: true }): Agent {
  const agent = proxy.protocol.startsWith('socks')
    ? new SocksProxyAgent(withRemoteNames(proxy), options)
    : new HttpsProxyAgent(proxy, options);
  return agent as unknown as Agent;
}

/** Go leaves names to the proxy, also for `socks5:`. */
function withRemoteNames(proxy: URL): URL {
  return new URL(proxy.href.replace(/^socks5:/, 'socks5h:'));
}
