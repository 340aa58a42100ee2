import { findCommand } from './cli/find-command.ts';
import { openQuickOutlet } from './cli/outlet.ts';
import { mark, markEnd } from './cli/timings.ts';
import { aliases, commandTable } from './commands/table.ts';

declare const DAPR_MTLS_VERSION: string;
const version = DAPR_MTLS_VERSION;

/**
 * Runs one command line and sets the exit code. The process is left to end by itself, so that
 * output into a slow pipe is not cut off.
 * @param program the name that was typed
 * @param argv the words behind it
 * @param home the folder of the package; the manifest is there
 */
export async function main(program: 'dapr' | 'dapr-mtls', argv: readonly string[], home: string): Promise<void> {
  markEnd();
  let command: string = program;
  let failed: Promise<void> | undefined;
  const fail = (error: unknown) => {
    failed ??= tellFailure(error, command, argv);
    return failed;
  };
  // Thrown where nobody waits, and a defect: nothing more can be relied on, and it must not end in silence. What comes
  // behind a failure is a part of it.
  process.on('uncaughtException', (error) => void fail(error).finally(() => process.exit()));
  const [first, second] = argv;
  if (first === '--version' || first === 'version' || (first === 'mtls' && second === '--version')) {
    openQuickOutlet(1).write(`dapr-mtls ${version} (${process.platform}-${process.arch}, node ${process.version})\n`);
    return;
  }
  const found = findCommand(program, argv, Object.keys(commandTable), aliases);
  if (found.kind === 'command') command = typedAs(program, found.id);
  try {
    if (found.kind !== 'command') {
      const { answerWithoutCommand } = await import('./cli/answer.ts');
      return answerWithoutCommand(found, program, home);
    }
    const [{ default: CommandClass }, { leanConfig }] = await Promise.all([
      commandTable[found.id as keyof typeof commandTable](),
      import('./cli/lean-config.ts'),
    ]);
    mark('loaded');
    CommandClass.id = found.id;
    await new CommandClass([...found.argv], leanConfig(program, version, home) as never).execute();
  } catch (error) {
    await fail(error);
  }
}

/** Never rejects. */
async function tellFailure(error: unknown, command: string, argv: readonly string[]): Promise<void> {
  process.exitCode = 1;
  try {
    const { reportFailure } = await import('./cli/report-failure.ts');
    process.exitCode = reportFailure(error, command, argv);
  } catch {
    // The package was replaced under a run that takes its time, or no file can be opened any more.
    openQuickOutlet(2).write(`${error instanceof Error ? error.stack : `Error: ${error}`}\n`);
  }
}

/** For `dapr-mtls` the word `mtls` may be left out. */
function typedAs(program: string, id: string): string {
  return program === 'dapr-mtls' ? `${program} ${id.replace(/^mtls ?/, '')}`.trimEnd() : `${program} ${id}`;
}
