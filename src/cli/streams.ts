import { type Aim, aimAdvice } from '../render/aim-advice.ts';
import { printableLines } from '../render/text.ts';
import { type Outlet, openOutlet, openQuickOutlet } from './outlet.ts';

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

/** @param isQuick writes past Node's streams where it can, see {@link openQuickOutlet} */
export function openStreams(env: NodeJS.ProcessEnv, quiet: boolean, aim: Aim, isQuick: boolean): Streams {
  const open = isQuick ? openQuickOutlet : openOutlet;
  const out = open(1);
  const remarks = open(2);
  const say = (text: string) => remarks.write(printableLines(aimAdvice(text, aim)));
  return {
    out: out.write,
    note: (text) => {
      if (!quiet) say(text);
    },
    warn: say,
    outTerminal: describeTerminal(out, env),
    aim,
  };
}

function describeTerminal({ isTty, columns }: Outlet, env: NodeJS.ProcessEnv): Terminal {
  return { isTty, columns: isTty ? columns : 80, colour: wantsColour(isTty, env) };
}

/** NO_COLOR (no-color.org) wins over FORCE_COLOR; `TERM=dumb` has none. */
function wantsColour(isTty: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return isTty && env.TERM !== 'dumb';
}
