import { expect } from 'vitest';
import type { RotationRecord } from '../../src/app/rotate/record.ts';

/** The record of a rotation that was gone on with is still that of the one which was killed. */
export function expectOneRotation(record: RotationRecord, left: RotationRecord | undefined, where: string): void {
  if (left) {
    expect(record.id, where).toBe(left.id);
    expect(certificatesOf(record), where).toEqual(certificatesOf(left));
    expect(record.history.slice(0, left.history.length), where).toEqual(left.history);
  }
  for (const { name, status, writes, writtenAt, passedAt } of record.phases) {
    if (status !== 'passed') continue;
    const times = (pattern: RegExp) => record.history.filter(({ what }) => pattern.test(what)).length;
    expect(times(new RegExp(`^begins ${name}:`)), `${where}: ${name} begun`).toBe(1);
    expect(times(new RegExp(`^wrote the bundle of ${name}\\b`)), `${where}: ${name} written`).toBe(writes ? 1 : 0);
    expect(times(new RegExp(`^${name} has passed:`)), `${where}: ${name} passed`).toBe(1);
    expect(Date.parse(passedAt ?? ''), where).toBeGreaterThanOrEqual(Date.parse(writtenAt ?? ''));
  }
}

/** Each phase by its end. */
export function phasesIn({ phases }: RotationRecord): string[] {
  return phases.map(({ name, status }) => `${name} ${status}`);
}

/** Neither as it stands nor in base64. */
export function expectNoKeys(content: Buffer, where: string): void {
  const text = content.toString('utf8');
  const decoded = [...text.matchAll(/[A-Za-z0-9+/]{40,}={0,2}/g)].map(([word]) =>
    Buffer.from(word, 'base64').toString(),
  );
  for (const part of [text, ...decoded]) expect(part, where).not.toContain('PRIVATE KEY');
}

function certificatesOf({ stages }: RotationRecord): object {
  return Object.fromEntries(
    Object.entries(stages).map(([name, { anchors, issuerChain }]) => [name, { anchors, issuerChain }]),
  );
}
