import { expect, test } from 'vitest';
import { bypassesProxy, proxyFor } from '../../src/kube/kubeconfig/proxy.ts';

// The table of golang.org/x/net/http/httpproxy's documentation, and of its tests.
test.each([
  ['https://example.com', 'example.com', true],
  ['https://sub.example.com', 'example.com', true],
  ['https://notexample.com', 'example.com', false],
  ['https://example.com', '.example.com', false],
  ['https://sub.example.com', '.example.com', true],
  ['https://example.com', '*.example.com', false],
  ['https://sub.example.com', '*.example.com', true],
  ['https://EXAMPLE.com', 'example.COM', true],
  ['https://example.com:6443', 'example.com:6443', true],
  ['https://example.com', 'example.com:6443', false],
  ['https://example.com', 'example.com:443', true],
  ['https://10.1.2.3', '10.0.0.0/8', true],
  ['https://11.1.2.3', '10.0.0.0/8', false],
  ['https://10.1.2.3', '10.1.2.3', true],
  ['https://10.1.2.3:6443', '10.1.2.3:443', false],
  ['https://10.1.2.33', '10.1.2.3', false],
  ['https://[fd00::1]', 'fd00::/8', true],
  ['https://[fd00::1]', 'fd00::1', true],
  ['https://[fd00::1]:6443', '[fd00::1]:6443', true],
  ['https://a', ' b , a ,', true],
  ['https://a', '*', true],
  ['https://a', '10.0.0.0/99', false],
  ['https://a', '', false],
  ['https://localhost:6443', '', true],
  ['https://127.0.0.1:6443', '', true],
  ['https://127.1.2.3', '', true],
  ['https://[::1]:6443', '', true],
])('%s with NO_PROXY=%s: %s', (url, noProxy, expected) => {
  expect(bypassesProxy(new URL(url), noProxy)).toBe(expected);
});

test.each([
  ['https://a', { HTTPS_PROXY: 'http://p:1', HTTP_PROXY: 'http://q:1' }, 'http://p:1/'],
  ['https://a', { https_proxy: 'p:1' }, 'http://p:1/'],
  ['http://a', { HTTPS_PROXY: 'http://p:1', http_proxy: 'http://q:1' }, 'http://q:1/'],
  ['https://a', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a' }, undefined],
  ['https://a', { HTTPS_PROXY: 'http://p:1', no_proxy: 'a' }, undefined],
  ['https://a', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['https://a', {}, undefined],
])('%s in %o goes through %s', (url, env, expected) => {
  expect(proxyFor(new URL(url), undefined, env)?.href).toBe(expected);
});

test("the cluster's own proxy is overridden by nothing", () => {
  const env = { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' };
  expect(proxyFor(new URL('https://127.0.0.1'), 'socks5://s:1080', env)?.href).toBe('socks5://s:1080');
});
