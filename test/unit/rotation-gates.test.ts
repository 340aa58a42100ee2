import { createPrivateKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type GateContext, type GateVerdict, sinceOf } from '../../src/app/rotate/gates/gate.ts';
import { judgeGate, judgePhase } from '../../src/app/rotate/gates/judge.ts';
import type { GateName, PhaseRecord, RotationRecord } from '../../src/app/rotate/record.ts';
import type { Stage, Stages } from '../../src/app/rotate/stages.ts';
import type { ServiceInstance, World } from '../../src/app/rotate/world.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { planFor, reach, recordOf, service, sidecar } from '../support/rotation-plans.ts';
import { forgeAuthority } from '../support/rotation-worlds.ts';

const { files } = await makeBundle();
const plan = await planFor(files, { procedure: 'staged' });
const { before, switched, 'both-anchors': both, after } = plan.material.stages as Required<Stages>;
const [oldPem, bothPem, newPem] = [before, both, after].map((stage) => stage.files.anchors.toString()) as [
  string,
  string,
  string,
];
const minuteMs = 60_000;
const written = new Date('2026-12-01T13:00:10Z');
const later = (ms: number) => new Date(written.getTime() + ms);

function stamp(instant: Date): string {
  return instant.toISOString();
}

const passed = { status: 'passed', writtenAt: stamp(later(-dayMs)), passedAt: stamp(written) } as const;
const underWay = { status: 'written', writtenAt: stamp(written) } as const;

const healthy = ['dapr-sentry', 'dapr-sidecar-injector', 'dapr-operator', 'dapr-scheduler-server'].map((name) =>
  service(name, { createdAt: written, startedAt: written }),
);

function replace(name: string, change: Partial<ServiceInstance>): ServiceInstance[] {
  return healthy.map((one) => (one.service === name ? { ...one, ...change } : one));
}

const world: World = {
  at: later(minuteMs),
  sidecars: [sidecar({ anchors: bothPem, createdAt: written })],
  services: healthy,
  handout: { kind: 'anchors', pem: bothPem },
  sentry: { kind: 'unknown', reason: 'not asked' },
};

interface Change {
  readonly world?: Partial<World>;
  readonly settings?: Partial<RotationRecord['settings']>;
  readonly record?: Partial<RotationRecord>;
  readonly live?: Stage;
  readonly wayToStore?: string;
}

function judge(gate: GateName, name: PhaseRecord['name'], progress: Parameters<typeof reach>[1], change: Change = {}) {
  const record = { ...reach(recordOf(plan, change.settings), progress), ...change.record };
  const phase = record.phases.find((one) => one.name === name);
  if (!phase) throw new Error(`no phase ${name}`);
  const context: GateContext = {
    record,
    phase,
    live: change.live ?? both,
    needed: plan.needed,
    world: { ...world, ...change.world },
    wayToStore: change.wayToStore ?? ' -k',
  };
  return judgeGate(gate, context);
}

const distribute = (change: Change = {}) => judge('verifiers-updated', 'distribute', { distribute: underWay }, change);
const drain = (change: Change = {}) =>
  judge('old-leaves-gone', 'drain', { switch: passed, drain: { ...underWay, writtenAt: stamp(later(5000)) } }, change);
const switching = (change: Change = {}) =>
  judge('issuer-switched', 'switch', { distribute: passed, switch: underWay }, { live: switched, ...change });
const retire = (change: Change = {}) =>
  judge(
    'anchors-published',
    'retire',
    { retire: underWay },
    {
      live: after,
      ...change,
      world: { handout: { kind: 'anchors', pem: newPem }, ...change.world },
    },
  );

const day = { workloadCertTtlMs: dayMs, allowedClockSkewMs: 15 * minuteMs };

/** A phase behind `distribute`, with nothing else left to wait for. */
function lateClients(name: 'switch' | 'drain' | 'retire', record: Partial<RotationRecord> = {}): GateVerdict {
  const before = name === 'switch' ? { distribute: passed } : { distribute: passed, switch: passed };
  const drained = name === 'retire' ? { ...before, drain: passed } : before;
  const settings = { hasExternalClients: true, externalClientsSince: name };
  const reached = { ...reach(recordOf(plan, settings), { ...drained, [name]: underWay }), ...record };
  const phase = reached.phases.find((one) => one.name === name);
  if (!phase) throw new Error(`no phase ${name}`);
  // Their certificates of the old issuer are waited for, too.
  const seen = {
    ...world,
    at: later(2 * dayMs),
    handout: { kind: 'anchors' as const, pem: name === 'retire' ? newPem : bothPem },
  };
  return judgePhase(reached, phase, seen, ' -k');
}

function waitsOf({ waits }: GateVerdict): string[] {
  return waits.map(({ what, mend }) => `${what} | ${mend}`);
}

type Case = readonly [what: string, judge: () => GateVerdict, mend: RegExp];

describe('a gate is open, and says for whom and what mends it', () => {
  const cases: Case[] = [
    [
      'a sidecar has the old anchors',
      () => distribute({ world: { sidecars: [sidecar({ anchors: oldPem })] } }),
      /^deployment shop\/cart: cart-7d9f-x2x4z does not hold the new anchor \| `dapr-mtls restart -k --apps -n shop --only deploy\/cart`; .*--skip-workload shop\/cart/,
    ],
    [
      'a sidecar does not tell',
      () => distribute({ world: { sidecars: [sidecar({ anchors: undefined })] } }),
      /^deployment shop\/cart/,
    ],
    [
      'a sidecar holds an anchor of nobody beside the old one',
      () => distribute({ world: { sidecars: [sidecar({ anchors: `${oldPem}no certificate` })] } }),
      /^deployment shop\/cart/,
    ],
    [
      'a bare pod',
      () => distribute({ world: { sidecars: [sidecar({ anchors: oldPem, workload: { kind: 'Pod', name: 'one' } })] } }),
      /^pod shop\/one: .*--skip-workload shop\/one/,
    ],
    [
      'a pod that is being deleted',
      () => distribute({ world: { sidecars: [sidecar({ anchors: oldPem, terminating: true })] } }),
      /has not ended yet \| It is being deleted/,
    ],
    [
      'a service started in the second before',
      () => distribute({ world: { services: replace('dapr-operator', { startedAt: later(-1000) }) } }),
      /^dapr-operator-0 started before 2026-12-01T13:00:10.000Z \| `dapr-mtls restart -k`/,
    ],
    [
      'a container that was started again at once in its old pod',
      () =>
        distribute({
          world: { services: replace('dapr-sidecar-injector', { createdAt: later(-dayMs), startedAt: later(5000) }) },
        }),
      /^dapr-sidecar-injector-0 was started again in a pod older than/,
    ],
    [
      'a service that is not ready',
      () => distribute({ world: { services: replace('dapr-scheduler-server', { ready: false }) } }),
      /^dapr-scheduler-server-0 is not ready/,
    ],
    [
      'a service that does not run',
      () => distribute({ world: { services: replace('dapr-operator', { startedAt: undefined, ready: false }) } }),
      /^dapr-operator-0 does not run/,
    ],
    [
      'a service of before that still ends',
      () => distribute({ world: { services: replace('dapr-operator', { terminating: true }) } }),
      /^dapr-operator-0 has not ended yet/,
    ],
    [
      'the injector gives the old anchors',
      () => distribute({ world: { handout: { kind: 'anchors', pem: oldPem } } }),
      /^the injector still gives old anchors to the next pod \| .*dapr-mtls restart -k/,
    ],
    [
      'clients that no audit sees',
      () => distribute({ settings: { hasExternalClients: true } }),
      /tokenValidators.* \| .*`dapr-mtls rotate confirm external-clients -k`/,
    ],
    [
      'the daprds of a directory',
      () => distribute({ world: { sidecars: undefined, services: undefined }, wayToStore: '' }),
      /nobody sees the sidecars.* \| .*`dapr-mtls rotate confirm restarted`, or give `--restart-command`/,
    ],
    ['no Sentry', () => switching({ world: { services: [] } }), /^no Sentry runs \| .*dapr-mtls status -k/],
    [
      'one of two Sentrys started before',
      () =>
        switching({
          world: { services: [...healthy, service('dapr-sentry', { pod: 'dapr-sentry-1', startedAt: later(-1000) })] },
        }),
      /^dapr-sentry-1 started before/,
    ],
    [
      'Sentry shows the old issuer',
      () => switching({ world: { sentry: { kind: 'shown', chain: shownUnder(before) } } }),
      /^Sentry still shows a certificate of another issuer/,
    ],
    [
      'Sentry shows what is no certificate',
      () => switching({ world: { sentry: { kind: 'shown', chain: [Buffer.from('no certificate')] } } }),
      /^Sentry still shows/,
    ],
    [
      'the Sentry of a directory, which nobody has asked',
      () => switching({ world: { services: undefined }, wayToStore: '' }),
      /nobody has asked Sentry.* \| .*`dapr-mtls rotate confirm issuer-switched`, or give `--sentry HOST:PORT`/,
    ],
    [
      'an old certificate that has not ended',
      () => drain({ world: { sidecars: [sidecar({ createdAt: later(-1000) })] } }),
      /^1 sidecars and 0 services started before the switch; .* ends at 2026-12-02T13:15:10.000Z \| .*--drain restart/,
    ],
    [
      'clients that no audit sees have old certificates until these end',
      () => drain({ settings: { hasExternalClients: true } }),
      /ends at 2026-12-02T13:15:10/,
    ],
    [
      'a certificate that was signed while they were to live longer',
      () =>
        drain({
          settings: { formerLives: [{ ...day, workloadCertTtlMs: 3 * dayMs, until: stamp(later(-minuteMs)) }] },
          world: { at: later(2 * dayMs), sidecars: [sidecar({ createdAt: later(-1000) })] },
        }),
      /ends at 2026-12-04T13:15:10.000Z/,
    ],
    [
      'a certificate that was signed since their life was made longer',
      () =>
        drain({
          settings: { formerLives: [{ ...day, until: stamp(later(-minuteMs)) }], workloadCertTtlMs: 3 * dayMs },
          world: { at: later(2 * dayMs), sidecars: [sidecar({ createdAt: later(-1000) })] },
        }),
      /ends at 2026-12-04T13:15:10.000Z/,
    ],
    ...(['switch', 'drain', 'retire'] as const).map(
      (name): Case => [
        `clients that could join only after the others had followed, in ${name}`,
        () => lateClients(name),
        /tokenValidators.* \| .*`dapr-mtls rotate confirm external-clients -k`/,
      ],
    ),
    [
      'a sidecar of Dapr 1.11 that was born before, however long it waits',
      () =>
        drain({
          settings: { keepsIssuers: true },
          world: { at: later(30 * dayMs), sidecars: [sidecar({ createdAt: later(-1000) })] },
        }),
      /^1 sidecars .*born with.* \| Only who is restarted/,
    ],
    [
      'a sidecar of Dapr 1.11 that an older injector has made',
      () =>
        drain({
          settings: { keepsIssuers: true },
          world: { services: replace('dapr-sidecar-injector', { createdAt: later(9000), startedAt: later(9000) }) },
        }),
      /^1 sidecars/,
    ],
    [
      'a service that started before',
      () => drain({ world: { services: replace('dapr-operator', { startedAt: later(-1000) }) } }),
      /^0 sidecars and 1 services/,
    ],
    [
      'the injector still gives both anchors',
      () => retire({ world: { handout: { kind: 'anchors', pem: bothPem } } }),
      /^the injector still gives other anchors/,
    ],
  ];

  test.each(cases)('%s', (_, look, expected) => {
    const verdict = look();
    expect(waitsOf(verdict)).toEqual([expect.stringMatching(expected)]);
  });

  test('of many workloads the first twenty are told, and the rest is counted', () => {
    const sidecars = Array.from({ length: 25 }, (_, index) =>
      sidecar({ anchors: oldPem, workload: { kind: 'Deployment', name: `app-${index}` } }),
    );
    const { waits } = distribute({ world: { sidecars } });
    expect(waits).toHaveLength(21);
    expect(waits.at(-1)?.what).toBe('and 5 more workloads');
  });
});

/** A leaf of that issuer, and the issuer behind it. */
function shownUnder({ files: { issuerKey }, issuerChain: [issuer] }: Stage, signer = issuer): Buffer[] {
  const times = { notBefore: written.getTime() - dayMs, notAfter: written.getTime() + dayMs };
  const key = forgeAuthority({ name: 'x', ...times }).key;
  const leaf = forgeAuthority({
    name: 'leaf',
    key,
    signer: { der: issuer.der, key: createPrivateKey(issuerKey) },
    ...times,
  });
  return [leaf.der, signer.der];
}

describe('a gate closes', () => {
  const ready: [string, () => GateVerdict, RegExp][] = [
    ['everybody holds the new anchor', distribute, /^1 sidecars were born with /],
    [
      'what the injector gives was not asked, and every one has started since',
      () => distribute({ world: { handout: { kind: 'unknown', reason: 'forbidden' } } }),
      /was not asked: forbidden/,
    ],
    [
      'a container that was started again when its volume had followed',
      () =>
        distribute({
          world: { services: replace('dapr-operator', { createdAt: later(-dayMs), startedAt: later(2 * minuteMs) }) },
        }),
      /sidecars were born/,
    ],
    [
      'Sentry was started again in its old pod: it asks the API server',
      () =>
        distribute({ world: { services: replace('dapr-sentry', { createdAt: later(-dayMs), startedAt: written }) } }),
      /sidecars were born/,
    ],
    [
      'somebody has answered for the workload',
      () =>
        distribute({
          world: { sidecars: [sidecar({ anchors: oldPem })] },
          record: { skipped: [{ workload: 'shop/cart', by: 'me', at: stamp(written) }] },
        }),
      /1 sidecars of skipped workloads were not looked at/,
    ],
    [
      'a human has confirmed it of clients outside, in this phase',
      () =>
        distribute({
          settings: { hasExternalClients: true },
          record: { confirmations: [{ what: 'external-clients', phase: 'distribute', by: 'me', at: stamp(later(1)) }] },
        }),
      /me confirmed external-clients/,
    ],
    ['every Sentry started since', switching, /^1 of 1 Sentry pods started on the issuer/],
    [
      'Sentry shows the new issuer',
      () => switching({ world: { services: undefined, sentry: { kind: 'shown', chain: shownUnder(switched) } } }),
      /^Sentry shows a certificate of the issuer/,
    ],
    ['everybody was made since the switch', drain, /^1 sidecars and every service started after/],
    [
      'the last certificate has ended',
      () => drain({ world: { at: later(dayMs + 15 * minuteMs), sidecars: [sidecar({ createdAt: undefined })] } }),
      /^The last certificate of another issuer ended by 2026-12-02T13:15:10/,
    ],
    ['the injector gives just these anchors', retire, /control plane started after/],
    [
      'an anchor stands there twice',
      () => retire({ world: { handout: { kind: 'anchors', pem: newPem + newPem } } }),
      /control plane started after/,
    ],
    [
      'the files of a directory were read back',
      () => retire({ world: { services: undefined, sidecars: undefined } }),
      /read back/,
    ],
  ];

  test.each(ready)('%s', (_, look, evidence) => {
    const verdict = look();
    expect(waitsOf(verdict)).toEqual([]);
    expect(verdict.evidence.join('; ')).toMatch(evidence);
  });

  test.each(['switch', 'drain', 'retire'] as const)(
    'a human has answered for clients that came late, in %s',
    (name) => {
      const said = { what: 'external-clients', phase: name, by: 'me', at: stamp(later(1)) } as const;
      const verdict = lateClients(name, { confirmations: [said] });
      expect(waitsOf(verdict)).toEqual([]);
      expect(verdict.evidence.join('; ')).toMatch(/me confirmed external-clients/);
    },
  );

  test('what was confirmed before they could join does not count', () => {
    const said = { what: 'external-clients', phase: 'switch', by: 'me', at: stamp(later(1)) } as const;
    expect(lateClients('drain', { confirmations: [said] }).waits).toHaveLength(1);
  });

  test('what was set anew and is not recorded yet counts all the same', () => {
    const settings = { workloadCertTtlMs: 9 * dayMs, allowedClockSkewMs: 0, hasExternalClients: true };
    const name = 'distribute';
    const record = reach(recordOf(plan), { [name]: underWay });
    const phase = record.phases.find((one) => one.name === name);
    const { waits } = judgePhase(record, phase as PhaseRecord, { ...world, settings }, ' -k');
    expect(waits.map(({ mend }) => mend)).toEqual([expect.stringContaining('confirm external-clients')]);
  });

  test.each([
    [undefined, 0],
    [true, 1],
  ])('and it is recorded whose clock told it: own %s', (isOwnClock, lines) => {
    const record = reach(recordOf(plan), { distribute: underWay });
    const [phase] = record.phases as [PhaseRecord];
    const seen = isOwnClock ? { ...world, isOwnClock } : world;
    const { evidence, waits } = judgePhase(record, phase, seen, ' -k');
    expect(waits).toEqual([]);
    expect(evidence.filter((line) => line.includes("by this machine's clock"))).toHaveLength(lines);
  });

  test('not a second before the last certificate has ended', () => {
    const old = [sidecar({ createdAt: later(-1) })];
    const end = later(dayMs + 15 * minuteMs);
    expect(drain({ world: { at: new Date(end.getTime() - 1000), sidecars: old } }).waits).toHaveLength(1);
    expect(drain({ world: { at: end, sidecars: old } }).waits).toEqual([]);
  });
});

test('an issuer that was renewed on its key counts when its certificate is shown', () => {
  const sentry = (chain: Buffer[]) => switching({ world: { services: undefined, sentry: { kind: 'shown', chain } } });
  const [issuer] = switched.issuerChain;
  expect(sentry(shownUnder(switched, readCertificate(before.issuerChain[0].der))).waits).toHaveLength(1);
  expect(sentry(shownUnder(switched, issuer)).waits).toEqual([]);
});

describe('in a directory, where nothing is seen', () => {
  const unseen = { sidecars: undefined, services: undefined } as const;
  const said = (phase: PhaseRecord['name'], at: Date): Change => ({
    world: unseen,
    record: { confirmations: [{ what: 'restarted', phase, by: 'me', at: stamp(at) }] },
  });

  test.each([
    ['in this phase', said('drain', later(1000)), 0],
    ['of another phase', said('distribute', later(1000)), 1],
    ['before the switch had passed', said('drain', later(-1000)), 1],
  ])('old certificates are gone by the word of a human %s', (_, change, waits) => {
    expect(drain(change).waits).toHaveLength(waits);
  });

  test.each([
    ['since the switch', later(1000), 0],
    ['before it', later(-1000), 1],
  ])('and by a restart command that ended %s', (_, at, waits) => {
    const restarted = { ...underWay, restartedAt: stamp(at), restarts: ['services', 'applications'] as const };
    const verdict = judge('old-leaves-gone', 'drain', { switch: passed, drain: restarted }, { world: unseen });
    expect(verdict.waits).toHaveLength(waits);
  });

  test('of a phase by the restart that belongs to it', () => {
    const restarted = { ...underWay, restartedAt: stamp(later(1)) };
    expect(judge('verifiers-updated', 'distribute', { distribute: restarted }, { world: unseen }).waits).toEqual([]);
  });
});

describe('from when on whoever starts is of the new world', () => {
  const at = (name: string, progress: Parameters<typeof reach>[1]) => {
    const { phases } = reach(recordOf(plan), progress);
    const phase = phases.find((one) => one.name === name);
    if (!phase) throw new Error(`no phase ${name}`);
    return sinceOf(phase, phases);
  };

  test('since the write, where a phase writes', () => {
    expect(at('distribute', { distribute: underWay })).toEqual(written);
  });

  test('since every Sentry had switched, where it writes nothing', () => {
    const drained = { ...underWay, writtenAt: stamp(later(minuteMs)) };
    expect(at('drain', { switch: passed, drain: drained })).toEqual(written);
  });

  test('of a phase that was not begun there is none', () => {
    expect(() => at('retire', {})).toThrow(/not begun/);
  });
});
