import * as Flags from '@oclif/core/flags';
import { parseValidity } from '../app/configuration/duration.ts';
import { DaprMtlsError } from '../errors.ts';

interface TimeFlag {
  readonly description: string;
  readonly helpGroup: string;
}

/** A length of time that is read now and handed on as it was typed. */
export const lengthOfTimeFlag = (name: string, details: TimeFlag) =>
  Flags.custom<string>({
    ...details,
    helpValue: 'TIME',
    parse: async (text) => {
      readMs(name, text);
      return text;
    },
  })();

/** A length of time as Prometheus counts: in seconds, one at least. */
export const secondsFlag = (name: string, details: TimeFlag) =>
  Flags.custom<number>({
    ...details,
    helpValue: 'TIME',
    parse: async (text) => {
      const seconds = Math.round(readMs(name, text) / 1000);
      if (seconds >= 1) return seconds;
      throw invalid(name, text, 'shorter than a second');
    },
  })();

function readMs(name: string, text: string): number {
  const ms = parseValidity(text);
  if (ms === undefined) throw invalid(name, text, 'not a length of time');
  return ms;
}

function invalid(name: string, text: string, what: string): DaprMtlsError {
  return new DaprMtlsError('usage.invalid', {
    message: `--${name} ${text} is ${what}`,
    hint: 'Write a number with a unit: 5m, 1h, 30d.',
  });
}
