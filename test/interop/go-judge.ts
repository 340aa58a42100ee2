import { buildGoProgram, converse, findGo } from './go-program.ts';
import type { JudgeAnswers, JudgeRequest, LintAnswer, LintRequest } from './judge-protocol.ts';

/** What a test says where these return undefined. A test that judged nothing has not passed. */
export const skippedWithoutGo = 'skipped: go is not on the PATH';

export type Judge = <const Requests extends readonly JudgeRequest[]>(
  requests: Requests,
) => Promise<JudgeAnswers<Requests>>;

type Lint = (requests: readonly LintRequest[]) => Promise<LintAnswer[]>;

/** Go, Sentry and the sidecars as the judge. Open it at the top of a test file: it may have to be built first. */
export async function openJudge(env: NodeJS.ProcessEnv = process.env): Promise<Judge | undefined> {
  const go = await findGo(env);
  if (go === undefined) return undefined;
  const program = await buildGoProgram(go, 'judge', ['judge'], env);
  return async <const Requests extends readonly JudgeRequest[]>(requests: Requests) =>
    (await ask(program, requests)) as JudgeAnswers<Requests>;
}

/** zlint as the judge of single certificates. Its first build downloads modules. */
export async function openLint(env: NodeJS.ProcessEnv = process.env): Promise<Lint | undefined> {
  const go = await findGo(env);
  if (go === undefined) return undefined;
  const program = await buildGoProgram(go, 'lint', ['lint', 'judge/lines'], env);
  return async (requests) => (await ask(program, requests)) as LintAnswer[];
}

/** The answer, for going on with what an accepted one holds. */
export function accepted<Answer extends { readonly ok: boolean }>(
  answer: Answer,
): Extract<Answer, { readonly ok: true }> {
  if (isAccepted(answer)) return answer;
  throw new Error(`refused: ${'error' in answer ? String(answer.error) : 'without a word'}`);
}

function isAccepted<Answer extends { readonly ok: boolean }>(
  answer: Answer,
): answer is Extract<Answer, { readonly ok: true }> {
  return answer.ok;
}

interface RawAnswer {
  readonly id: number;
  readonly error?: string;
  /** The request made no sense to the program, or tripped a bug in it: no verdict. */
  readonly unjudged?: true;
}

async function ask(program: string, requests: readonly object[]): Promise<unknown[]> {
  const answers = (await converse(program, requests.map(encode))) as RawAnswer[];
  if (answers.length !== requests.length) {
    throw new Error(`${answers.length} answers to ${requests.length} requests from ${program}`);
  }
  return answers.map(({ id, unjudged, ...answer }, place) => {
    if (id !== place || unjudged) throw new Error(`request ${place} was not judged: ${answer.error ?? 'out of order'}`);
    return answer;
  });
}

/** Bytes as the base64 that Go's JSON takes, and no invalid Date: as null it would mean now. */
function encode(request: object, id: number): object {
  const entries = Object.entries(request).map(([name, value]: [string, unknown]) => [name, encodeValue(value)]);
  return { ...Object.fromEntries(entries), id };
}

function encodeValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.toISOString();
  return value;
}
