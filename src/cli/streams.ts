import { type Aim, aimAdvice } from '../render/aim-advice.ts';
import { printableLines } from '../render/text.ts';

/** Where output goes. Colour and width are decided per stream. */
export interface Terminal {
  readonly isTty: boolean;
  readonly columns: number;
  readonly colour: boolean;
}

export interface Streams {
  /** Data only. */
  out(text: string): void;
  /** Everything else: progress, warnings, which store was read. */
  note(text: string): void;
  /** What must be said whoever asks for silence: keys in clear, who is cut off. */
  warn(text: string): void;
  readonly outTerminal: Terminal;
  /** What was said of the cluster: all advice has to lead there. */
  readonly aim: Aim;
}

export function openStreams(env: NodeJS.ProcessEnv, quiet: boolean, aim: Aim): Streams {
  // A reader such as `head` that has had enough is no error, nor is a terminal that was closed (EIO).
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
  }
  return {
    out: (text) => void process.stdout.write(text),
    note: (text) => {
      if (!quiet) process.stderr.write(printableLines(aimAdvice(text, aim)));
    },
    warn: (text) => void process.stderr.write(printableLines(aimAdvice(text, aim))),
    outTerminal: describeTerminal(process.stdout, env),
    aim,
  };
}

function describeTerminal(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Terminal {
  const isTty = stream.isTTY === true;
  return { isTty, columns: isTty ? stream.columns || 80 : 80, colour: wantsColour(isTty, env) };
}

/** NO_COLOR (no-color.org) wins over FORCE_COLOR; `TERM=dumb` has none. */
function wantsColour(isTty: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return isTty && env.TERM !== 'dumb';
}
