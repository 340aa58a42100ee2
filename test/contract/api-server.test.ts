import { afterAll } from 'vitest';
import { describeAnswers } from '../support/api-server/answers.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';

const started: ApiServer[] = [];
afterAll(() => Promise.all(started.map((server) => server.stop())));

describeAnswers("the tests' own", async () => {
  const server = await startApiServer({ users: { admin: { allow: 'all' }, stranger: { allow: [] } } });
  started.push(server);
  return {
    server: server.url,
    ca: server.caPem,
    token: server.token('admin'),
    strangerToken: server.token('stranger'),
  };
});
