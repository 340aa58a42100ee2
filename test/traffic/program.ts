import { fileURLToPath } from 'node:url';
import { buildGoProgram, findGo } from '../interop/go-program.ts';

/** What a test says where `openTraffic` returns undefined. A test that judged nothing has not passed. */
export const skippedWithoutGo = 'skipped: go is not on the PATH';

/** The path of the program in `program/`, which may have to be built first; undefined without Go. */
export async function openTraffic(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const go = await findGo(env);
  if (go === undefined) return undefined;
  return buildGoProgram(go, 'program', ['program'], env, fileURLToPath(new URL('.', import.meta.url)));
}
