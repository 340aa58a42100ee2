import { readFileSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { startProxy } from '../contract/kube-proxies.ts';
import { startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';

test.each(['http', 'socks5'] as const)(
  'the built program reaches a cluster behind a proxy that speaks %s',
  async (scheme) => {
    const server = await startApiServer();
    onTestFinished(() => server.stop());
    const { files } = await makeBundle({ at: new Date() });
    server.store.put(...runningControlPlane({ bundle: files }));
    const proxy = await startProxy(scheme);
    const path = server.kubeconfig();
    const kubeconfig = parse(readFileSync(path, 'utf8')) as { clusters: { cluster: object }[] };
    for (const { cluster } of kubeconfig.clusters) Object.assign(cluster, { 'proxy-url': proxy.url });
    writeFileSync(path, stringify(kubeconfig));

    expect(await run(['expiry'], { env: { KUBECONFIG: path } })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Root certificate expires in/),
    });
    expect(proxy.targets).toEqual([new URL(server.url).host]);
  },
);
