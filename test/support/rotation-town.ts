import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { holdsAll, readAnchors } from '../../src/app/rotate/held-anchors.ts';
import type { RotationPorts } from '../../src/app/rotate/ports.ts';
import type { RestartRequest, RotationSite, World } from '../../src/app/rotate/world.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import type { ChangeSession, StoredBundle, TrustStore } from '../../src/store/port.ts';
import type { RotationStore } from '../../src/store/rotation-port.ts';
import { bundleNames } from './bundles.ts';
import type { Chance } from './chance.ts';
import { alternativeName, authorityKeyId, extendedKeyUsage, forge, keyUsage, sequence } from './forged-certificate.ts';

const secondMs = 1000;
/** A change reaches a running pod's volume within so long (dapr-facts, section 2). */
const volumeMs = 90 * secondMs;

/** Who verifies and shows: a sidecar, a service of the control plane, a client that nobody lists. */
export interface Party {
  readonly kind: 'sidecar' | 'service' | 'client';
  readonly namespace: string;
  readonly workload: string;
  readonly pod: string;
  readonly createdAt: number;
  startedAt: number;
  anchors: string;
  /** Since before the rotation. */
  readonly isInitial: boolean;
  /** Whether `mtls restart` knows how. */
  readonly isRestartable: boolean;
  /** The issuer's chain that Dapr up to 1.11 bakes into it. */
  bornUnder: string;
  leaf: { readonly chain: string; readonly ends: number; readonly renewsAt: number } | undefined;
  /** When somebody who is being deleted is gone. */
  goneAt: number | undefined;
}

interface SentryPod {
  readonly pod: string;
  readonly createdAt: number;
  startedAt: number;
  /** What it has read; undefined while it refuses what stands there. */
  files: BundleFiles | undefined;
  goneAt: number | undefined;
}

/** A verifier and a chain that met: who, what, from when until when. */
export interface Meeting {
  readonly holder: string;
  readonly chain: string;
  readonly usage: 'server' | undefined;
  readonly isInitial: boolean;
  readonly workloads: Set<string>;
  readonly first: number;
  last: number;
}

export interface TownWish {
  readonly kind: 'cluster' | 'directory';
  readonly files: BundleFiles;
  readonly startsAt: number;
  readonly ttlMs: number;
  readonly skewMs: number;
  /** What sidecars hold at the beginning. */
  readonly held: readonly string[];
  /** NAMESPACE/NAME. */
  readonly skipped: readonly string[];
  readonly hasExternalClient: boolean;
  /** Dapr up to 1.11: who asks Sentry shows the issuer it was born under. */
  readonly keepsIssuers: boolean;
  /** The tag of every daprd's image; undefined where the pods do not tell. */
  readonly daprVersion?: string | undefined;
  /** Whether anybody sees what Sentry shows, and what the injector hands out. */
  readonly sees: { readonly sentry: boolean; readonly handout: boolean };
  readonly restartCommand: boolean;
}

/** Thrown where a run is killed. */
export class Killed extends Error {}

/**
 * A control plane and its sidecars in simulated time, as the real ones behave (dapr-facts, sections 2, 3
 * and 8). It knows nothing of plans and proofs: it lives, obeys restarts, and writes down who met whom.
 */
export class RotationTown {
  now: number;
  files: BundleFiles;
  readonly meetings = new Map<string, Meeting>();
  /** Every bundle that stood in the store after the first, with the moment. */
  readonly written: { readonly files: BundleFiles; readonly at: number }[] = [];
  record: Buffer | undefined;
  /** How often a run is killed where it may be. */
  killRate = 0;
  readonly #wish: TownWish;
  readonly #chance: Chance;
  #before: BundleFiles;
  #writtenAt = 0;
  #judged: { readonly files: BundleFiles; readonly at: number; readonly reason: string | undefined } | undefined;
  #serial = 0;
  #revision = 0;
  #sentries: SentryPod[] = [];
  #parties: Party[] = [];
  #caBundle: string;

  constructor(wish: TownWish, chance: Chance) {
    this.#wish = wish;
    this.#chance = chance;
    this.now = wish.startsAt;
    this.files = wish.files;
    this.#before = wish.files;
    this.#caBundle = textOf(wish.files.anchors);
    const replicas = wish.kind === 'directory' ? 1 : chance.between(1, 3);
    for (let count = 0; count < replicas; count++) this.#startSentry(this.now - chance.between(1, 48) * 3600_000);
    // Whatever Sentry would say of the bundle today, those that run have read it while it was well.
    for (const sentry of this.#sentries) sentry.files = wish.files;
    const services = ['dapr-operator', 'dapr-placement-server', 'dapr-scheduler-server', 'dapr-sidecar-injector'];
    if (chance.is(0.3)) services.push('dapr-sidecar-injector');
    for (const service of services) this.#addParty('service', service, textOf(this.files.anchors), true);
    wish.held.forEach((anchors, index) => {
      this.#addParty('sidecar', `app-${index}`, anchors, true, chance.is(0.8) || wish.kind === 'directory');
    });
    if (wish.hasExternalClient) this.#addParty('client', 'outside', textOf(this.files.anchors), true);
    this.#meet();
  }

  /** Time passes, and things happen. */
  pass(ms: number): void {
    const end = this.now + ms;
    const steps = Math.min(6, 1 + Math.floor(ms / (20 * secondMs)));
    for (let step = 1; step <= steps; step++) {
      this.now =
        step === steps ? end : this.now + Math.floor(((end - this.now) / (steps - step + 1)) * this.#chance.draw());
      this.#live();
      this.#meet();
    }
  }

  /** What people do who read what is waited for: they restart what nobody else restarts. */
  tidy(probability: number): void {
    const newest = Math.max(this.#writtenAt, ...this.#injectors().map(({ startedAt }) => startedAt));
    for (const party of this.#living()) {
      const isDue = party.kind === 'service' ? this.#chance.is(0.1) : floor(party.createdAt) <= newest;
      if (party.kind !== 'client' && !this.#isSkipped(party) && isDue && this.#chance.is(probability))
        this.#recreate(party);
    }
    const isBlocked = this.#refusal() !== undefined;
    if (this.#wish.kind === 'cluster' && !isBlocked && this.#chance.is(probability / 2))
      this.#restartSentries(new Date(this.now));
  }

  /** Everybody anew, as a human says in a directory. */
  restartAll(): void {
    for (const party of this.#living()) if (party.kind !== 'client') this.#recreate(party);
    this.pass(this.#wish.kind === 'directory' ? secondMs : 60 * secondMs);
  }

  /** Whoever nobody lists gets the anchors of today by other ways. */
  supplyClients(): void {
    for (const party of this.#living()) if (party.kind === 'client') party.anchors = textOf(this.files.anchors);
    this.#meet();
  }

  hasSentryRead(): boolean {
    return this.#sentries.every(({ files }) => files === this.files);
  }

  killMaybe(): void {
    if (this.#chance.is(this.killRate)) throw new Killed();
  }

  ports(): Omit<RotationPorts, 'chooseWriter' | 'who'> {
    return {
      store: this.#store(),
      rotations: this.#rotations(),
      site: this.#site(),
      clock: {
        now: () => new Date(this.now),
        sleep: async (ms) => this.pass(ms),
      },
      passphrase: undefined,
      keepFile: () => undefined,
      assertRunning: () => this.killMaybe(),
      onProgress: () => undefined,
      wayToStore: '',
    };
  }

  /** The bundle is written past every rule, for showing what happens then. */
  write(files: BundleFiles): void {
    this.#before = this.files;
    this.files = files;
    this.#writtenAt = this.now;
    this.#revision += 1;
    this.written.push({ files, at: this.now });
  }

  look(): World {
    return this.#look(() => undefined);
  }

  restart(request: RestartRequest) {
    return this.#restart(request);
  }

  #store(): TrustStore {
    const { kind } = this.#wish;
    const location = { kind, name: 'town', names: bundleNames };
    const read = async (): Promise<StoredBundle> => {
      this.pass(this.#chance.between(0, 2) * secondMs);
      return { files: this.files, revision: String(this.#revision), state: 'settled' };
    };
    const session: ChangeSession = {
      finished: undefined,
      read,
      backUp: async () => undefined,
      apply: async ({ steps }) => {
        for (const step of steps) {
          this.write({ ...this.files, ...step.files });
          this.pass(this.#chance.between(1, 20) * secondMs);
        }
        this.killMaybe();
      },
      pruneBackups: async () => [],
      close: async () => undefined,
    };
    return {
      location,
      read,
      openForChange: async () => session,
      abandonInterrupted: async () => undefined,
      listBackups: async () => [],
      openBackup: async () => {
        throw new Error('nobody restores here');
      },
    };
  }

  #rotations(): RotationStore {
    const read = async () => this.record && { content: this.record, place: { name: 'the record', wayToStore: '' } };
    return {
      read,
      whoHolds: async () => undefined,
      lock: async () => ({
        read,
        save: async (content) => {
          this.killMaybe();
          this.record = content;
          this.killMaybe();
        },
        setAside: async () => {
          throw new Error('nobody gives a record up here');
        },
        assertHeld: async () => undefined,
        release: async () => undefined,
      }),
    };
  }

  #site(): RotationSite {
    const { kind } = this.#wish;
    return {
      kind,
      instant: async () => {
        this.pass(this.#chance.between(0, 1500));
        return kind === 'cluster' ? new Date(floor(this.now) + secondMs) : new Date(this.now);
      },
      gather: async () => this.#look(() => this.pass(this.#chance.between(0, 3000))),
      restart: async (request) => this.#restart(request),
    };
  }

  #look(between: () => void): World {
    const { kind, sees } = this.#wish;
    const at = new Date(floor(this.now));
    const sidecars = () =>
      this.#parties
        .filter((party) => party.kind === 'sidecar')
        .map((party) => ({ ...describeSidecar(party), daprVersion: this.#wish.daprVersion }));
    const services = () => [
      ...this.#sentries.map(describeSentry),
      ...this.#parties.filter((party) => party.kind === 'service').map(describeService),
    ];
    const views: Record<string, unknown> = {};
    const order = this.#chance.is(0.5) ? [sidecars, services] : [services, sidecars];
    for (const view of order) {
      views[view === sidecars ? 'sidecars' : 'services'] = kind === 'cluster' ? view() : undefined;
      between();
    }
    const [injector] = this.#injectors();
    const sentry = this.#sentries.find(({ files }) => files);
    const der = (pem: string) => readAnchors(pem).map((certificate) => certificate.der);
    return {
      at,
      sidecars: views.sidecars as World['sidecars'],
      services: views.services as World['services'],
      handout:
        injector && sees.handout && kind === 'cluster'
          ? { kind: 'anchors', pem: injector.anchors }
          : { kind: 'unknown', reason: 'nobody asked' },
      sentry:
        sentry?.files && sees.sentry
          ? { kind: 'shown', chain: [...der(presentedUnder(sentry.files))] }
          : { kind: 'unknown', reason: 'nobody asked' },
    };
  }

  #restart({ scopes, since, neededAnchors, skipped }: RestartRequest) {
    if (this.#wish.kind === 'directory') {
      if (!this.#wish.restartCommand) return { carriedOut: false, restarted: [], remarks: [] };
      if (scopes.some((scope) => scope !== 'sentry')) this.restartAll();
      return { carriedOut: true, restarted: ['everybody'], remarks: [] };
    }
    let carriedOut = true;
    const restarted: string[] = [];
    for (const scope of scopes) {
      if (scope === 'sentry') this.#restartSentries(since);
      else if (scope === 'services') {
        for (const party of this.#living())
          if (party.kind === 'service' && floor(party.createdAt) < since.getTime()) this.#roll(party, restarted);
      } else {
        const [injector] = this.#injectors();
        if (!injector || !holdsAll(readAnchors(injector.anchors), neededAnchors)) carriedOut = false;
        else
          for (const party of this.#shuffled(this.#living())) {
            const isDue =
              floor(party.createdAt) < since.getTime() || !holdsAll(readAnchors(party.anchors), neededAnchors);
            if (party.kind === 'sidecar' && party.isRestartable && isDue && !skipped.includes(nameOf(party)))
              this.#roll(party, restarted);
          }
      }
    }
    return { carriedOut, restarted, remarks: [] };
  }

  #roll(party: Party, restarted: string[]): void {
    this.killMaybe();
    this.#recreate(party);
    restarted.push(nameOf(party));
    this.pass(this.#chance.between(1, 40) * secondMs);
  }

  #restartSentries(since: Date): void {
    const refusal = this.#refusal();
    if (refusal) throw new DaprMtlsError('trust.refused', { message: refusal, hint: 'Judge the bundle.' });
    for (const sentry of this.#shuffled(this.#sentries)) {
      if (sentry.goneAt !== undefined || floor(sentry.createdAt) >= since.getTime()) continue;
      sentry.goneAt = this.now + this.#chance.between(0, 30) * secondMs;
      this.#startSentry(this.now);
      this.pass(this.#chance.between(1, 20) * secondMs);
    }
  }

  /** Whether a Sentry that starts now would exit; looked at anew every few minutes. */
  #refusal(): string | undefined {
    if (this.#judged?.files !== this.files || this.now - this.#judged.at > 5 * 60 * secondMs) {
      this.#judged = { files: this.files, at: this.now, reason: whySentryRefuses(this.files, new Date(this.now)) };
    }
    return this.#judged.reason;
  }

  #startSentry(at: number): void {
    this.#serial += 1;
    const files = this.#refusal() ? undefined : this.files;
    this.#sentries.push({ pod: `sentry-${this.#serial}`, createdAt: at, startedAt: at, files, goneAt: undefined });
  }

  #addParty(kind: Party['kind'], workload: string, anchors: string, isInitial = false, isRestartable = true): void {
    this.#serial += 1;
    const namespace = kind === 'service' ? 'dapr-system' : 'shop';
    const at = isInitial ? this.now - this.#chance.between(1, 48) * 3600_000 : this.now;
    const party: Party = {
      kind,
      namespace,
      workload,
      pod: `${workload}-${this.#serial}`,
      createdAt: at,
      startedAt: at,
      anchors,
      isInitial,
      isRestartable,
      bornUnder: textOf(this.files.issuerChain),
      leaf: undefined,
      goneAt: undefined,
    };
    this.#parties.push(party);
    if (kind === 'service' && workload === 'dapr-sidecar-injector') this.#caBundle = anchors;
    this.#ask(party);
  }

  /** Deleted and made anew; the old one may talk on for a while. */
  #recreate(party: Party): void {
    const { kind, workload, isRestartable } = party;
    // A process of a directory is stopped before it is started again.
    party.goneAt = this.now + (this.#wish.kind === 'directory' ? 0 : this.#chance.between(0, 40) * secondMs);
    this.#addParty(
      kind,
      workload,
      kind === 'service' ? textOf(this.files.anchors) : this.#handOut(),
      false,
      isRestartable,
    );
  }

  /** What the injector gives, any of them; in a directory what stands in the file. */
  #handOut(): string {
    if (this.#wish.kind === 'directory') return textOf(this.files.anchors);
    const injectors = this.#injectors();
    return injectors.length > 0 ? this.#chance.pick(injectors).anchors : textOf(this.files.anchors);
  }

  #injectors(): Party[] {
    return this.#parties.filter(({ kind, workload }) => kind === 'service' && workload === 'dapr-sidecar-injector');
  }

  /** A certificate from any Sentry that works. */
  #ask(party: Party): void {
    const able = this.#sentries.filter(({ files }) => files);
    if (able.length === 0) return;
    const { files } = this.#chance.pick(able);
    if (!files) return;
    const { ttlMs, keepsIssuers } = this.#wish;
    // What becomes of whom somebody answers for is nobody's loss here.
    if (!this.#isSkipped(party)) this.#register(party.anchors, presentedUnder(files), undefined, party);
    // Sentry of then verifies whoever asks by the issuer that was baked into it.
    if (keepsIssuers && party.kind === 'sidecar' && !this.#isSkipped(party))
      this.#register(textOf(files.anchors), party.bornUnder, undefined, { ...party, isInitial: false });
    const lifeMs = Math.floor(ttlMs * (0.3 + 0.6 * this.#chance.draw()));
    party.leaf = { chain: presentedUnder(files), ends: this.now + ttlMs, renewsAt: this.now + lifeMs };
  }

  #live(): void {
    const chance = this.#chance;
    const { kind, skewMs } = this.#wish;
    this.#sentries = this.#sentries.filter(({ goneAt }) => goneAt === undefined || goneAt > this.now);
    this.#parties = this.#parties.filter(({ goneAt }) => goneAt === undefined || goneAt > this.now);
    const isLate = this.now - this.#writtenAt > (kind === 'directory' ? 3 * secondMs : volumeMs + 2 * secondMs);
    for (const sentry of this.#sentries) {
      if (sentry.files === this.files || !(isLate || chance.is(0.3))) continue;
      // A container that ends is started again.
      const refusal = this.#refusal();
      sentry.files = refusal ? undefined : this.files;
      if (refusal || chance.is(0.2)) sentry.startedAt = this.now;
    }
    for (const party of this.#parties) {
      const fresh = isLate || chance.is(0.5) ? this.files : this.#before;
      if (party.kind === 'service' && party.goneAt === undefined && kind === 'cluster') {
        // It reads its file again by itself, once; or its container dies, and finds what the volume holds.
        const isRestarted = chance.is(0.01);
        if (isRestarted || (isLate && chance.is(0.1))) {
          party.anchors = textOf(fresh.anchors);
          if (party.workload === 'dapr-sidecar-injector') this.#caBundle = party.anchors;
        }
        if (isRestarted) {
          party.startedAt = this.now;
          party.leaf = undefined;
        }
      }
      if (!party.leaf || party.leaf.renewsAt <= this.now) this.#ask(party);
      if (party.leaf && party.leaf.ends + skewMs <= this.now) party.leaf = undefined;
    }
    const apps = this.#living().filter((party) => party.kind === 'sidecar');
    if (chance.is(0.05))
      this.#addParty('sidecar', `app-${chance.between(0, 9)}`, this.#handOut(), false, chance.is(0.8));
    if (apps.length > 2 && chance.is(0.04)) chance.pick(apps).goneAt = this.now + chance.between(0, 20) * secondMs;
    if (apps.length > 0 && chance.is(0.03)) this.#recreate(chance.pick(apps));
  }

  #meet(): void {
    const shown = new Set<string>();
    // Whoever answers for a workload answers for the certificates that it shows, too.
    for (const party of this.#parties) if (party.leaf && !this.#isSkipped(party)) shown.add(party.leaf.chain);
    for (const { files } of this.#sentries) if (files) shown.add(presentedUnder(files));
    for (const party of this.#parties) {
      if (this.#isSkipped(party)) continue;
      for (const chain of shown) this.#register(party.anchors, chain, undefined, party);
    }
    if (this.#wish.kind !== 'cluster') return;
    for (const { leaf } of this.#injectors())
      if (leaf)
        this.#register(this.#caBundle, leaf.chain, 'server', {
          isInitial: false,
          kind: 'service',
          namespace: '',
          workload: '',
        });
  }

  #register(
    holder: string,
    chain: string,
    usage: Meeting['usage'],
    { isInitial, ...party }: Pick<Party, 'isInitial' | 'kind' | 'namespace' | 'workload'>,
  ): void {
    const isOld = isInitial && party.kind === 'sidecar';
    const key = `${isOld} ${usage} ${idOf(holder)} ${idOf(chain)}`;
    const known = this.meetings.get(key);
    if (known) known.last = this.now;
    const meeting = known ?? {
      holder,
      chain,
      usage,
      isInitial: isOld,
      workloads: new Set(),
      first: this.now,
      last: this.now,
    };
    if (party.kind === 'sidecar') meeting.workloads.add(nameOf(party));
    this.meetings.set(key, meeting);
  }

  #living(): Party[] {
    return this.#parties.filter(({ goneAt }) => goneAt === undefined);
  }

  #isSkipped(party: Pick<Party, 'namespace' | 'workload'>): boolean {
    return this.#wish.skipped.includes(nameOf(party));
  }

  #shuffled<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => ({ item, rank: this.#chance.draw() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ item }) => item);
  }
}

function nameOf({ namespace, workload }: Pick<Party, 'namespace' | 'workload'>): string {
  return `${namespace}/${workload}`;
}

function floor(ms: number): number {
  return Math.floor(ms / secondMs) * secondMs;
}

function describeSidecar({ namespace, workload, pod, createdAt, goneAt, anchors, isRestartable }: Party) {
  return {
    namespace,
    pod,
    workload: { kind: isRestartable ? ('Deployment' as const) : ('Pod' as const), name: workload },
    createdAt: new Date(floor(createdAt)),
    terminating: goneAt !== undefined,
    anchors,
  };
}

function describeService({ workload, pod, createdAt, startedAt, goneAt }: Party) {
  return {
    service: workload,
    pod,
    createdAt: new Date(floor(createdAt)),
    startedAt: new Date(floor(startedAt)),
    ready: true,
    terminating: goneAt !== undefined,
  };
}

function describeSentry({ pod, createdAt, startedAt, files, goneAt }: SentryPod) {
  return {
    service: 'dapr-sentry',
    pod,
    createdAt: new Date(floor(createdAt)),
    startedAt: new Date(floor(startedAt)),
    ready: files !== undefined,
    terminating: goneAt !== undefined,
  };
}

const ids = new Map<string, number>();

/** Texts are long, and many keys hold the same. */
function idOf(text: string): number {
  const id = ids.get(text) ?? ids.size;
  ids.set(text, id);
  return id;
}

/** One text for each buffer, because they are compared often. */
function textOf(buffer: Buffer): string {
  const text = texts.get(buffer) ?? buffer.toString();
  texts.set(buffer, text);
  return text;
}

const texts = new WeakMap<Buffer, string>();

/** A leaf of Sentry and what stands behind it. */
export function presentedUnder(files: BundleFiles): string {
  const text = presented.get(files.issuerChain) ?? leafUnder(files) + shownChain(files);
  presented.set(files.issuerChain, text);
  return text;
}

const presented = new WeakMap<Buffer, string>();

/** What Sentry sends behind a leaf: its chain, without what is self-signed. */
function shownChain({ issuerChain }: Pick<BundleFiles, 'issuerChain'>): string {
  const text = issuerChain.toString();
  const known = shownChains.get(text);
  if (known !== undefined) return known;
  const shown = readAnchors(issuerChain)
    .filter(({ x509, publicKey }) => !x509.verify(publicKey))
    .map(({ der }) => encodePem('CERTIFICATE', der))
    .join('');
  shownChains.set(text, shown);
  return shown;
}

const shownChains = new Map<string, string>();
const leaves = new Map<string, string>();
const leafKey: KeyObject = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

/** A certificate that Sentry signs with these files, of so long a life that only the chain above decides. */
function leafUnder({ issuerChain, issuerKey }: BundleFiles): string {
  const text = issuerChain.toString();
  const known = leaves.get(text);
  if (known !== undefined) return known;
  const [issuer] = readAnchors(issuerChain) as [Certificate];
  const keyId = issuer.detail.subjectKeyId;
  const der = forge({
    subject: sequence(),
    issuer: issuer.detail.subjectDer,
    key: leafKey,
    signer: createPrivateKey(issuerKey),
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: new Date('2049-01-01T00:00:00Z'),
    extensions: [
      keyUsage('digitalSignature'),
      extendedKeyUsage('server', 'client'),
      ...(keyId ? [authorityKeyId(keyId)] : []),
      alternativeName('uri', 'spiffe://cluster.local/ns/default/app', true),
    ],
  });
  const leaf = encodePem('CERTIFICATE', der);
  leaves.set(text, leaf);
  return leaf;
}
