import { readFileSync } from 'node:fs';
import { afterAll, describe } from 'vitest';
import { parse } from 'yaml';
import { describeAnswers } from '../support/api-server/answers.ts';
import { whyNoCluster } from './build-programs.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

const started: TestCluster[] = [];
afterAll(() => Promise.all(started.map((cluster) => cluster.stop())));

/** What the tests' own server is built after: the same questions, asked of a real one. */
describe.skipIf(await whyNoCluster())('a real kube-apiserver', () => {
  describeAnswers('a real one', async () => {
    const cluster = await startCluster();
    started.push(cluster);
    const all = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    const tokenIn = (kubeconfig: string): string => parse(readFileSync(kubeconfig, 'utf8')).users[0].user.token;
    return {
      server: cluster.server,
      ca: readFileSync(cluster.caFile, 'utf8'),
      token: tokenIn(await cluster.addUser('everything', all, { credentials: 'token' })),
      strangerToken: tokenIn(await cluster.addUser('stranger', [], { credentials: 'token' })),
    };
  });
});
