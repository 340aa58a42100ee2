import * as Flags from '@oclif/core/flags';
import { procedures, type RestartScope } from '../app/rotate/record.ts';
import { DaprMtlsError } from '../errors.ts';
import {
  certificateFlags,
  changeFlags,
  configFlag,
  daprVersionFlag,
  handOutFlags,
  ignoreOwnerFlag,
  keyFlags,
  storeFlags,
} from './flags.ts';

const rotationGroup = 'ROTATION';
const restartGroup = 'RESTARTS';

const skipWorkloadFlag = {
  'skip-workload': Flags.custom<string>({
    description: 'A workload that you answer for yourself: no gate waits for its pods. May be said several times.',
    helpValue: 'NAMESPACE/NAME',
    helpGroup: rotationGroup,
    multiple: true,
    default: [],
    parse: async (text) => {
      if (/^[a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*$/.test(text)) return text;
      throw new DaprMtlsError('usage.invalid', {
        message: `--skip-workload ${text} names no workload`,
        hint: 'Write NAMESPACE/NAME, for example shop/checkout.',
      });
    },
  })(),
};

const sentryFlag = {
  sentry: Flags.string({
    description: 'Where Sentry listens, to see which issuer it signs with (in a cluster it is found by itself).',
    helpValue: 'HOST:PORT',
    helpGroup: rotationGroup,
  }),
};

const drainFlag = {
  drain: Flags.option({
    description: 'How old certificates go: wait until the last has ended, or restart everybody once more.',
    options: ['wait', 'restart'] as const,
    helpGroup: rotationGroup,
  })(),
};

/** Beside what it does for other commands. */
const recordPassphraseFlag = {
  'passphrase-file': Flags.string({
    description:
      'A file whose first line is the passphrase: opens an encrypted key that is given, and encrypts the root key, the key in each copy, and the keys in the record of the rotation; who goes on with that one or undoes it needs it again.',
    helpValue: 'FILE',
    helpGroup: 'KEYS',
  }),
};

/** What a plan is made from. */
export const planFlags = {
  procedure: Flags.option({
    description: 'Insist on one, as long as it loses no call (default the gentlest that holds).',
    options: procedures,
    helpGroup: rotationGroup,
  })(),
  ...drainFlag,
  ...skipWorkloadFlag,
  ...sentryFlag,
  ...keyFlags,
  ...recordPassphraseFlag,
  ...certificateFlags,
  ...daprVersionFlag,
  ...configFlag,
  settle: changeFlags.settle,
  ...storeFlags,
};

const howFar = ['distribute', 'switch', 'drain', 'retire', 'replace'] as const;

/** How the phases are carried out. */
export const advanceFlags = {
  wait: Flags.boolean({
    description: 'Stay until every gate has closed. Without it the exit code is 8 while one is open.',
    helpGroup: rotationGroup,
  }),
  until: Flags.option({
    description: 'Stop behind this phase; the same command without it goes on.',
    options: howFar,
    helpGroup: rotationGroup,
  })(),
  window: Flags.string({
    description:
      'Write and restart only then: days, hours and a time zone (default UTC), several windows with a semicolon between them.',
    helpValue: '"Sat 02:00-05:00 Europe/Berlin"',
    helpGroup: rotationGroup,
  }),
  restart: Flags.option({
    description: 'Who is restarted by this program; the gates wait for the others.',
    options: ['all', 'control-plane', 'none'] as const,
    default: 'all' as const,
    helpGroup: restartGroup,
  })(),
  'restart-command': Flags.string({
    description:
      'For a directory: a command that starts every sidecar anew and waits until they are well. It gets the variables of `mtls env`.',
    helpValue: 'COMMAND',
    helpGroup: restartGroup,
  }),
  'max-parallel': Flags.integer({
    description: 'How many workloads are restarted at a time.',
    min: 1,
    max: 8,
    default: 3,
    helpGroup: restartGroup,
  }),
  pace: Flags.custom<number>({
    description: 'The least time between the beginnings of two of them.',
    helpValue: 'SECONDS',
    default: 0,
    helpGroup: restartGroup,
    parse: async (text) => {
      const match = /^(\d+(?:\.\d+)?)s?$/.exec(text);
      if (match && Number(match[1]) <= 86_400) return Number(match[1]) * 1000;
      throw new DaprMtlsError('usage.invalid', {
        message: `--pace ${text} is not a number of seconds`,
        hint: 'Write 30 or 30s.',
      });
    },
  })(),
  timeout: Flags.integer({
    description: 'How long a restart of the control plane, and of each workload, may take, in seconds (default 300).',
    min: 1,
    max: 86_400,
    helpGroup: restartGroup,
  }),
  resume: Flags.boolean({
    description: 'Only go on with what is under way: where nothing is, nothing is begun.',
    helpGroup: rotationGroup,
  }),
  'put-back': Flags.boolean({
    description:
      'First put the recorded bundle back, where somebody else has written another one: that one is copied and overwritten, and what it may have spoilt is proved again.',
    helpGroup: rotationGroup,
  }),
  yes: Flags.boolean({
    char: 'y',
    description: 'Begin, or overwrite, without a question; only a terminal is asked.',
    helpGroup: rotationGroup,
  }),
  ...ignoreOwnerFlag,
  ...handOutFlags,
};

export const undoFlags = {
  settle: changeFlags.settle,
  ...recordPassphraseFlag,
  abandon: Flags.boolean({
    description: 'Give the rotation up, and keep the bundle that stands there, whoever wrote it. Nothing is proved.',
    exclusive: ['put-back'],
    helpGroup: rotationGroup,
  }),
  ...drainFlag,
};

/** For who only says or asks something. */
export const recordFlags = {
  ...sentryFlag,
  ...configFlag,
  ...storeFlags,
};

/** @returns who may be restarted */
export function readScopes(restart: 'all' | 'control-plane' | 'none'): RestartScope[] {
  if (restart === 'none') return [];
  return restart === 'control-plane' ? ['sentry', 'services'] : ['sentry', 'services', 'applications'];
}
