import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Runs every case once a round, so that a slow minute of the machine falls on all of them alike.
 * @param cases each `{name, words, env, prepare?, rounds?, isPeakAsked?}`; words begin with the program
 * @returns by case: `{medianMs, rounds, peakMb?}`
 */
export async function measure(cases, rounds, warmUps = 1) {
  const times = new Map(cases.map((one) => [one, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const one of cases) {
      if (round >= (one.rounds ?? rounds) || (round < 0 && one.rounds)) continue;
      one.prepare?.();
      const { ms } = await run(one);
      if (round >= 0) times.get(one).push(ms);
    }
  }
  const results = new Map();
  for (const one of cases) {
    const list = times.get(one);
    const peak = one.isPeakAsked && process.platform === 'linux' ? { peakMb: (await run(one, true)).peakMb } : {};
    results.set(one, { medianMs: median(list), rounds: list.length, ...peak });
  }
  return results;
}

/** @param watchesMemory looks every 5 ms, which costs time: not in the runs that are timed */
async function run({ name, words: [program, ...args], env }, watchesMemory = false) {
  const began = process.hrtime.bigint();
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let peakMb = 0;
  const watch = watchesMemory && setInterval(() => (peakMb = Math.max(peakMb, readPeakMb(child.pid))), 5);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  clearInterval(watch);
  if (code !== 0) throw new Error(`${name}: ${program} ended with ${code}: ${errors.slice(-2000)}`);
  return { ms, peakMb };
}

/** What Linux tells as long as the process lives. */
function readPeakMb(pid) {
  try {
    const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kb ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function median(list) {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
}
