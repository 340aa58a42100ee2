import { expect, test } from 'vitest';
import type { Wait } from '../../src/app/rotate/gates/gate.ts';
import { tellOfRotation } from '../../src/cli/rotation-progress.ts';

const phase = 'distribute';
const restarting = { kind: 'restarting', phase } as const;

function waitingFor(pod: string) {
  const waits: Wait[] = [
    { what: `${pod} started before 2026-12-01T12:00:15.000Z`, mend: 'Restart it.', until: undefined },
  ];
  return { kind: 'waiting', phase, waits } as const;
}

/** What a run says on standard error. */
function listen(stays: boolean, restarts = true) {
  const told: string[] = [];
  const streams = {
    out: () => {},
    warn: () => {},
    note: (text: string) => void told.push(text),
    outTerminal: { isTty: true, columns: 40, colour: false },
    aim: {},
  };
  return { told, tell: tellOfRotation(streams, { stays, restarts }) };
}

test('a gate that is looked at again and again is told once, until something changes', () => {
  const { told, tell } = listen(true);
  for (const pod of ['a', 'a', 'a', 'b', 'b']) {
    tell(restarting);
    tell(waitingFor(pod));
  }
  expect(told).toEqual([
    'distribute: restarting who has to follow\n',
    'distribute: waiting for\n  - a started before 2026-12-01 12:00:15\n    UTC\n    Mend: Restart it.\n',
    'distribute: waiting for\n  - b started before 2026-12-01 12:00:15\n    UTC\n    Mend: Restart it.\n',
  ]);
});

test('a run that does not stay leaves what it would wait for to its answer', () => {
  const { told, tell } = listen(false);
  tell(restarting);
  tell(waitingFor('a'));
  tell({ kind: 'closed', until: new Date('2026-12-05T01:00:00Z') });
  expect(told).toEqual([
    'distribute: restarting who has to follow\n',
    'Outside of the window: nothing is written or restarted before 2026-12-05 01:00:00 UTC\n',
  ]);
});

test('whom a step finds cut off is named with its proof', () => {
  const { told, tell } = listen(true);
  tell({ kind: 'proved', phase, pairs: 4, cutOff: [] });
  tell({ kind: 'proved', phase, pairs: 4, cutOff: ['shop/cart', 'shop/checkout'] });
  expect(told).toEqual([
    'distribute: 4 pairs that can meet were proved\n',
    'distribute: 4 pairs that can meet were proved\n  Cut off until they are restarted:\n  shop/cart, shop/checkout\n',
  ]);
});

test('nobody is said to be restarted where that is left to people', () => {
  const { told, tell } = listen(true, false);
  tell(restarting);
  expect(told).toEqual([]);
});

test('evidence stands below the phase that it let pass', () => {
  const { told, tell } = listen(true);
  tell({ kind: 'passed', phase, evidence: ['4 sidecars were born with 0a1b2c3d4e5f6071', 'The injector gives it'] });
  expect(told).toEqual([
    'distribute: passed\n  4 sidecars were born with\n  0a1b2c3d4e5f6071\n  The injector gives it\n',
  ]);
});
