import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from '../support/directory.ts';
import { buildGoProgram } from './go-program.ts';

const run = promisify(execFile);

/** What a tool says, and whether it was content. */
export interface Verdict {
  readonly isContent: boolean;
  readonly said: string;
}

export type Tool = (args: readonly string[], files: Readonly<Record<string, string | object>>) => Promise<Verdict>;

/** Prometheus' own tool. Of its service discoveries only that of Kubernetes is built: the others are most of it. */
export async function buildPromtool(go: string): Promise<Tool> {
  return toolOf(
    await buildGoProgram(go, 'promtool', ['promtool'], process.env, undefined, {
      package: 'github.com/prometheus/prometheus/cmd/promtool',
      flags: ['-tags=remove_all_sd,enable_kubernetes_sd', '-ldflags=-s -w'],
    }),
  );
}

/** Alertmanager's own tool. */
export async function buildAmtool(go: string): Promise<Tool> {
  return toolOf(
    await buildGoProgram(go, 'amtool', ['amtool'], process.env, undefined, {
      package: 'github.com/prometheus/alertmanager/cmd/amtool',
      flags: ['-ldflags=-s -w'],
    }),
  );
}

/** Run in a folder of its own that holds the files; JSON is YAML, too. */
function toolOf(program: string): Tool {
  return async (args, files) => {
    const cwd = temporaryDirectory('tool');
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
    try {
      const { stdout, stderr } = await run(program, args, { cwd });
      return { isContent: true, said: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
      // A number is the tool's own answer; anything else says that it was never asked.
      if (typeof code !== 'number') throw error;
      return { isContent: false, said: stdout + stderr };
    }
  };
}
