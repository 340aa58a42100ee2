/**
 * Every way in which a command may fail, in one table: the code, the exit status it leads to and
 * what it means. docs/errors.md is made from it, and no error leaves the program with a code that
 * is not a key here.
 */
export const errorTable = {
  bug: { exit: 1, meaning: 'A defect of this program. Nothing about your input should lead here.' },
  'usage.invalid': { exit: 2, meaning: 'The command line was not understood, or its words contradict each other.' },
  'usage.store': { exit: 2, meaning: 'The command was not told which trust store to work on.' },
  'usage.declined': {
    exit: 2,
    meaning: 'The question at the terminal was not answered with yes; nothing was written.',
  },
  'usage.listen': {
    exit: 2,
    meaning: 'Nobody can listen on the address of --listen: it is taken, or not of this machine.',
  },
  'usage.hand-over': {
    exit: 2,
    meaning: 'The words belong to the official `dapr` program, and none was found to hand them to.',
  },
  'dapr.ambiguous': { exit: 2, meaning: 'Several control planes are there, and the command was not told which one.' },
  'cluster.kubeconfig': {
    exit: 3,
    meaning: 'No way into a cluster is configured, or the kubeconfig cannot be read or names what is not in it.',
  },
  'cluster.credentials': {
    exit: 3,
    meaning: 'The credentials of the kubeconfig cannot be used: a file, a login program, an expired certificate.',
  },
  'cluster.unreachable': {
    exit: 3,
    meaning:
      'The API server, or Sentry where only it can tell, does not answer: unknown host, refused, reset, or too slow.',
  },
  'cluster.untrusted': { exit: 3, meaning: "The API server's certificate does not verify under the kubeconfig's CA." },
  'cluster.unauthorized': { exit: 3, meaning: 'The API server does not know this user (401).' },
  'cluster.forbidden': { exit: 3, meaning: 'The API server knows this user and does not allow the request (403).' },
  'cluster.rejected': { exit: 3, meaning: 'The API server refused a request as it stands, or failed at it.' },
  'trust.unreadable': { exit: 4, meaning: 'A certificate or a PEM file could not be read.' },
  'trust.refused': { exit: 4, meaning: 'Sentry or its clients would refuse this trust bundle; it was not written.' },
  'trust.impossible': { exit: 4, meaning: 'The requested certificates cannot be made from what there is.' },
  'key.unreadable': { exit: 4, meaning: 'A private key could not be read, or its file holds several.' },
  'key.passphrase': { exit: 4, meaning: 'An encrypted private key needs a passphrase, or the passphrase is wrong.' },
  'key.mismatch': { exit: 4, meaning: 'A private key does not belong to its certificate.' },
  'rotation.unsafe': {
    exit: 4,
    meaning:
      'Two parties that can meet while a rotation is under way would not verify each other; nothing was written.',
  },
  'file.missing': { exit: 5, meaning: 'A file that was named does not exist.' },
  'file.exists': { exit: 5, meaning: 'A file that would be written exists already.' },
  'file.io': { exit: 5, meaning: 'Reading or writing a file failed.' },
  'dapr.missing': { exit: 5, meaning: 'There is no Dapr control plane, or a part of it that is needed is missing.' },
  'helm.failed': { exit: 5, meaning: 'helm, or the official dapr, was run and did not succeed.' },
  'store.missing': { exit: 5, meaning: 'There is no trust bundle in the store, or a part of it is missing.' },
  'store.layout': { exit: 5, meaning: 'The directory is laid out in a way that cannot be changed safely.' },
  'store.permission': { exit: 5, meaning: 'This user may not read or write the store.' },
  'store.full': { exit: 5, meaning: 'No space is left where the store lives.' },
  'store.work-directory': { exit: 5, meaning: 'The work directory beside the store cannot be used.' },
  'store.damaged': { exit: 5, meaning: 'The journal, a backup or the record of a rotation is damaged.' },
  'rotation.missing': { exit: 5, meaning: 'There is no rotation to go on with, to confirm or to undo.' },
  'store.locked': { exit: 6, meaning: 'Another run holds the lock, or it is not known whether its owner lives.' },
  'store.conflict': { exit: 6, meaning: 'The store changed since it was read; nothing was written.' },
  'store.replaced': { exit: 6, meaning: 'Somebody else replaced the bundle right after it was written.' },
  'cluster.conflict': {
    exit: 6,
    meaning: 'An object changed, appeared or went since it was read; nothing was written.',
  },
  'store.mismatch': {
    exit: 6,
    meaning: 'Secret and ConfigMap hold different anchors: the next Sentry to start would replace the bundle.',
  },
  'store.owned': {
    exit: 6,
    meaning: 'Somebody else keeps these objects, a Helm release for instance, and would undo the change.',
  },
  'rotation.running': {
    exit: 6,
    meaning: 'A rotation is under way, and this change would break it: go on with it, or undo it.',
  },
  'rotation.diverged': { exit: 6, meaning: 'The bundle is not the one that the rotation under way has recorded.' },
  'dapr.exists': { exit: 6, meaning: 'A control plane, a bundle or a release is there already; nothing was written.' },
  'rollout.failed': { exit: 7, meaning: 'A workload did not come back in time, or cannot come back at all.' },
  'tool.missing': { exit: 7, meaning: 'Neither helm nor the official dapr is there to install the chart.' },
  'store.not-quiet': {
    exit: 7,
    meaning: 'The directory did not come to rest for the time that a running Sentry needs.',
  },
  'rotation.waiting': { exit: 8, meaning: 'A rotation waits at a gate: run it again later, or with `--wait`.' },
} as const satisfies Record<string, { exit: number; meaning: string }>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorDetails {
  readonly message: string;
  /** The mend: a command to run or a field to change. */
  readonly hint: string;
  readonly cause?: unknown;
}

/** The one error type of the program. Anything else that is thrown is a bug (exit 1). */
export class DaprMtlsError extends Error {
  override readonly name = 'DaprMtlsError';
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, { message, hint, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }

  get exitCode(): number {
    return errorTable[this.code].exit;
  }
}

/** True for errors of node:fs and node:child_process, which carry a `code` such as `ENOENT`. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}
