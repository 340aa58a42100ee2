import { certificatesOf, type FoundFiles, readCertificateFile } from '../../pki/reading.ts';
import type { Finding } from '../../pki/rules/finding.ts';

export type Judge = (at: Date) => readonly Finding[];

const judgeAgainMs = 3_600_000;

/** The instants at which a judgement of these files may change by time alone. */
export function datesOf({ anchors, issuerChain }: Pick<FoundFiles, 'anchors' | 'issuerChain'>): readonly Date[] {
  const certificates = [
    ...certificatesOf(anchors && readCertificateFile('anchors', anchors)),
    ...certificatesOf(issuerChain && readCertificateFile('issuerChain', issuerChain)),
  ];
  return certificates.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter]);
}

/** Differs where a judgement may: once an hour, before, at and behind every date. */
export function ageOf(dates: readonly Date[], at: Date): string {
  return `${Math.floor(at.getTime() / judgeAgainMs)} ${dates.map((date) => Math.sign(at.getTime() - date.getTime())).join(' ')}`;
}

/**
 * A judgement is most of the work of a look, and thousands of them take 40 MB that Node does not give back: what
 * was read once is judged once an hour, and anew where one of its dates has come.
 */
export function keepJudgement(): (judge: Judge, files: FoundFiles, at: Date) => readonly Finding[] {
  let last: { judge: Judge; dates: readonly Date[]; age: string; findings: readonly Finding[] } | undefined;
  return (judge, files, at) => {
    const dates = last?.judge === judge ? last.dates : datesOf(files);
    const age = ageOf(dates, at);
    if (last?.judge !== judge || last.age !== age) last = { judge, dates, age, findings: judge(at) };
    return last.findings;
  };
}
