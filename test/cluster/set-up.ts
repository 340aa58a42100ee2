import { buildPrograms, whyNoCluster } from './build-programs.ts';

/** Runs once, before the first test file: no test's time limit has to allow for a build. */
export async function setup(): Promise<void> {
  const missing = await whyNoCluster();
  if (missing === undefined) await buildPrograms();
  else process.stderr.write(`the cluster tests are ${missing}\n`);
}
