import { spawn } from 'node:child_process';

/** A process beside the tests that outlives them, to end what they have started and left. */
export interface Guard {
  /** From now on the process is ended when the tests are gone, however they went. */
  watch(pid: number): void;
  /** Everything was ended in order: the guard goes without doing anything. */
  dismiss(): void;
}

// The kernel closes a pipe whose writer is gone, also after SIGKILL: then the loop ends.
const script = `
pids=
while read -r word; do
  case $word in
    dismissed) exit 0 ;;
    *) pids="$pids $word" ;;
  esac
done
kill -9 $pids 2>/dev/null
rm -rf -- "$1"
`;

/** Ends the watched processes and removes the folder when this process is gone. */
export function startGuard(folder: string): Guard {
  const guard = spawn('/bin/sh', ['-c', script, 'guard', folder], {
    // In a session of its own, Ctrl-C in the terminal does not reach it.
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  // Nothing waits for the pipe: it must not keep the tests from ending.
  if ('unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref();
  return {
    watch: (pid) => void guard.stdin.write(`${pid}\n`),
    dismiss: () => void guard.stdin.end('dismissed\n'),
  };
}
