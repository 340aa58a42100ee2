import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { type Certificate, readCertificate } from '../../src/pki/certificate.ts';
import { encodeTlv } from '../../src/pki/der.ts';
import {
  alternativeName,
  authorityKeyId,
  basicConstraints,
  commonName,
  extendedKeyUsage,
  extension,
  forge,
  keyUsage,
  oid,
  type Purpose,
  type StringType,
  sequence,
  signatureAlgorithms,
  subjectKeyId,
  type Usage,
} from './forged-certificate.ts';

/**
 * Small worlds of certificates for comparing verifiers: a sound chain in which up to four things
 * were made odd. Plain data, so that a world in which two verifiers differ can be printed.
 */
export interface World {
  readonly certificates: readonly Specimen[];
  /** Places in `certificates`: the one to judge, then the intermediates. */
  readonly chain: readonly number[];
  readonly anchors: readonly number[];
  readonly usage: 'serverAuth' | 'clientAuth' | undefined;
  /** What was done to the sound chain. */
  readonly oddities: readonly string[];
}

/** One certificate of a world. Keys are places in the pool. */
export interface Specimen {
  readonly subject: NameSpecimen;
  readonly issuer: NameSpecimen;
  readonly key: number;
  readonly signer: number;
  readonly version: 1 | 2 | 3;
  readonly constraints: { readonly ca: boolean; readonly pathLength?: number } | undefined;
  readonly usages: readonly Usage[] | undefined;
  readonly purposes: readonly Purpose[] | undefined;
  readonly subjectKeyId: number | undefined;
  readonly authorityKeyId: number | undefined;
  readonly dnsName: string | undefined;
  readonly validity: keyof typeof periods;
  readonly critical: 'unknown' | 'directory-name' | undefined;
  readonly policy: 'explicit' | 'mapping' | 'names' | undefined;
  readonly signature: 'sound' | 'sha1' | 'damaged';
}

interface NameSpecimen {
  readonly text: string;
  readonly as: StringType;
}

/** The instant at which worlds are judged. */
export const worldInstant = new Date('2027-03-01T12:00:00Z');

const hourMs = 3_600_000;
const periods = {
  now: [-hourMs, hourMs],
  expired: [-2 * hourMs, -1000],
  future: [1000, hourMs],
  'ends-now': [-hourMs, 0],
  'begins-now': [0, hourMs],
} as const;

/** P-256, P-384, Ed25519, RSA 2048; behind them RSA 512, which is too short for Go. */
function generateKeyPool(): KeyObject[] {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey;
  const ed25519 = () => generateKeyPairSync('ed25519').privateKey;
  const p256 = Array.from({ length: 5 }, () => ec('prime256v1'));
  return [...p256, ec('secp384r1'), ed25519(), ed25519(), rsa(2048), rsa(512)];
}

const soundKeys = 9;
const weakKey = 9;

/** Makes what worlds describe. Many worlds share a certificate, which is then made once. */
export class WorldForge {
  readonly #pool = generateKeyPool();
  readonly #leafKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  readonly #made = new Map<string, Certificate>();

  make(specimen: Specimen): Certificate {
    const description = JSON.stringify(specimen);
    const known = this.#made.get(description);
    if (known) return known;
    const made = readCertificate(this.#forge(specimen));
    this.#made.set(description, made);
    return made;
  }

  /** A sidecar's certificate below the specimen, as Sentry signs it. */
  makeLeafBelow(issuer: Specimen): Certificate {
    const der = forge({
      subject: sequence(),
      issuer: encodeName(issuer.subject),
      key: this.#leafKey,
      signer: this.#key(issuer.key),
      ...datesOf('now'),
      extensions: [
        keyUsage('digitalSignature'),
        extendedKeyUsage('server', 'client'),
        ...(issuer.subjectKeyId === undefined ? [] : [authorityKeyId(encodeKeyId(issuer.subjectKeyId))]),
        alternativeName('uri', 'spiffe://cluster.local/ns/default/app', true),
      ],
    });
    return readCertificate(der);
  }

  #forge(specimen: Specimen): Buffer {
    const signer = this.#key(specimen.signer);
    const der = forge({
      subject: encodeName(specimen.subject),
      issuer: encodeName(specimen.issuer),
      key: this.#key(specimen.key),
      signer,
      version: specimen.version,
      ...datesOf(specimen.validity),
      extensions: specimen.version === 3 ? extensionsOf(specimen) : [],
      ...(specimen.signature === 'sha1' && { signature: sha1Signature(signer) }),
    });
    if (specimen.signature === 'damaged') der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    return der;
  }

  #key(place: number): KeyObject {
    const key = this.#pool[place];
    if (!key) throw new Error(`there is no key ${place}`);
    return key;
  }
}

function datesOf(validity: Specimen['validity']) {
  const [before, after] = periods[validity];
  const now = worldInstant.getTime();
  return { notBefore: new Date(now + before), notAfter: new Date(now + after) };
}

function extensionsOf(specimen: Specimen): Buffer[] {
  const { constraints, usages, purposes, dnsName, critical, policy } = specimen;
  const either = <Value>(value: Value | undefined, encode: (value: Value) => Buffer) =>
    value === undefined ? [] : [encode(value)];
  return [
    ...either(constraints, ({ ca, pathLength }) => basicConstraints(ca, pathLength)),
    ...either(usages, (named) => keyUsage(...named)),
    ...either(purposes, (named) => extendedKeyUsage(...named)),
    ...either(specimen.subjectKeyId, (id) => subjectKeyId(encodeKeyId(id))),
    ...either(specimen.authorityKeyId, (id) => authorityKeyId(encodeKeyId(id))),
    ...(critical === 'directory-name' ? [alternativeName('directory', commonName('directory'), true)] : []),
    ...(critical === 'directory-name' ? [] : either(dnsName, (dns) => alternativeName('dns', dns))),
    ...(critical === 'unknown' ? [extension('unknown', sequence(), true)] : []),
    ...either(policy, (kind) => policies[kind]),
  ];
}

const policies: Record<NonNullable<Specimen['policy']>, Buffer> = {
  explicit: extension('policyConstraints', sequence(encodeTlv(0x80, Buffer.from([0]))), true),
  mapping: extension('policyMappings', sequence(sequence(oid('2.5.29.32.0'), oid('1.2.3'))), true),
  names: extension(
    'nameConstraints',
    sequence(encodeTlv(0xa0, sequence(encodeTlv(0x82, Buffer.from('example.org'))))),
    true,
  ),
};

function encodeName({ text, as }: NameSpecimen): Buffer {
  return commonName(text, as);
}

function encodeKeyId(id: number): Buffer {
  return Buffer.alloc(20, id + 1);
}

function sha1Signature(key: KeyObject) {
  if (key.asymmetricKeyType === 'ed25519')
    return { algorithm: signatureAlgorithms.ed25519, sign: (tbs: Buffer) => sign(null, tbs, key) };
  const algorithm =
    key.asymmetricKeyType === 'rsa' ? signatureAlgorithms.sha1WithRsa : signatureAlgorithms.ecdsaWithSha1;
  return { algorithm, sign: (tbs: Buffer) => sign('sha1', tbs, key) };
}

/** Root last, as it is signed; each below the next. */
function soundWorld(keys: readonly number[], usage: World['usage']): World {
  const certificates = keys.map((key, place): Specimen => {
    const above = Math.min(place + 1, keys.length - 1);
    const signer = keys[above] ?? key;
    return {
      subject: { text: `CA ${place}`, as: 'utf8' },
      issuer: { text: `CA ${above}`, as: 'utf8' },
      key,
      signer,
      version: 3,
      constraints: { ca: true },
      usages: ['digitalSignature', 'keyCertSign', 'cRLSign'],
      purposes: undefined,
      subjectKeyId: key,
      authorityKeyId: signer,
      dnsName: undefined,
      validity: 'now',
      critical: undefined,
      policy: undefined,
      signature: 'sound',
    };
  });
  const places = keys.map((_, place) => place);
  return {
    certificates,
    chain: places.slice(0, Math.max(1, places.length - 1)),
    anchors: places.slice(-1),
    usage,
    oddities: [],
  };
}

/** What can be odd about one certificate. */
const certificateOddities: Record<string, Partial<Specimen>> = {
  'path length 0': { constraints: { ca: true, pathLength: 0 } },
  'path length 1': { constraints: { ca: true, pathLength: 1 } },
  'path length 2': { constraints: { ca: true, pathLength: 2 } },
  'path length 3': { constraints: { ca: true, pathLength: 3 } },
  'CA:FALSE': { constraints: { ca: false } },
  'CA:FALSE with a path length': { constraints: { ca: false, pathLength: 0 } },
  'no basic constraints': { constraints: undefined },
  'no key usage': { usages: undefined },
  'an empty key usage': { usages: [] },
  'no keyCertSign': { usages: ['digitalSignature', 'cRLSign'] },
  'for servers': { purposes: ['server'] },
  'for clients': { purposes: ['client'] },
  'for servers and clients': { purposes: ['server', 'client'] },
  'for any purpose': { purposes: ['any'] },
  'for code and any purpose': { purposes: ['codeSigning', 'any'] },
  'for signing code': { purposes: ['codeSigning'] },
  'for an unknown purpose': { purposes: ['unknown'] },
  'for no purpose': { purposes: [] },
  'an unknown critical extension': { critical: 'unknown' },
  'a critical directory name': { critical: 'directory-name' },
  expired: { validity: 'expired' },
  'not yet valid': { validity: 'future' },
  'ends now': { validity: 'ends-now' },
  'begins now': { validity: 'begins-now' },
  'no subject key id': { subjectKeyId: undefined },
  'another subject key id': { subjectKeyId: 99 },
  'no authority key id': { authorityKeyId: undefined },
  'another authority key id': { authorityKeyId: 98 },
  'version 1': { version: 1 },
  'version 2': { version: 2 },
  'a DNS name': { dnsName: 'cluster.local' },
  'another DNS name': { dnsName: 'example.org' },
  'a key of RSA 512': { key: weakKey },
  'another key': { key: 0 },
  'signed by another': { signer: 1 },
  'signed with SHA-1': { signature: 'sha1' },
  'a damaged signature': { signature: 'damaged' },
  'an explicit policy': { policy: 'explicit' },
  'a policy mapping': { policy: 'mapping' },
  'name constraints': { policy: 'names' },
};

type Change = (world: World, place: number) => Pick<World, 'certificates' | 'chain' | 'anchors'>;

/** What can be odd about how certificates stand to each other. `place` is the one it happens to. */
const worldOddities: Record<string, Change> = {
  'its subject as PrintableString': (world, place) =>
    replaceAt(world, place, ({ subject }) => ({ subject: { ...subject, as: 'printable' } })),
  'its issuer as PrintableString': (world, place) =>
    replaceAt(world, place, ({ issuer }) => ({ issuer: { ...issuer, as: 'printable' } })),
  'its name as PrintableString everywhere': (world, place) => {
    const { subject } = specimenAt(world, place);
    const reencode = (name: NameSpecimen): NameSpecimen =>
      name.text === subject.text ? { ...name, as: 'printable' } : name;
    return {
      ...world,
      certificates: world.certificates.map((one) => ({
        ...one,
        subject: reencode(one.subject),
        issuer: reencode(one.issuer),
      })),
    };
  },
  'the name of the one above': (world, place) => {
    const { issuer } = specimenAt(world, place);
    return replaceAt(world, place, () => ({ subject: issuer }));
  },
  'one name for all': (world) => ({
    ...world,
    certificates: world.certificates.map((one) => ({
      ...one,
      subject: { text: 'CA', as: 'utf8' },
      issuer: { text: 'CA', as: 'utf8' },
    })),
  }),
  'a namesake with another key among the anchors': (world, place) =>
    add(world, { ...selfSigned(specimenAt(world, place), 2) }, 'anchor-first'),
  'a namesake with another key in the chain': (world, place) =>
    add(world, { ...specimenAt(world, place), key: 2, subjectKeyId: 2 }, 'chain'),
  'an expired twin in the chain': (world, place) =>
    add(world, { ...specimenAt(world, place), validity: 'expired' }, 'chain'),
  'a narrow twin in the chain': (world, place) =>
    add(world, { ...specimenAt(world, place), constraints: { ca: true, pathLength: 0 } }, 'chain'),
  'a twin with a DNS name in the chain': (world, place) =>
    add(world, { ...specimenAt(world, place), dnsName: 'twin.example.org' }, 'chain'),
  'a self-signed twin among the anchors': (world, place) => add(world, selfSigned(specimenAt(world, place)), 'anchor'),
  'a self-signed twin with a DNS name in the chain': (world, place) =>
    add(world, { ...selfSigned(specimenAt(world, place)), dnsName: 'twin.example.org' }, 'chain'),
  'a renewed root instead of the root': (world) => {
    const last = world.certificates.length - 1;
    return {
      ...add({ ...world, anchors: [] }, { ...specimenAt(world, last), subjectKeyId: 77, dnsName: 'renewed' }, 'anchor'),
    };
  },
  'an expired root beside a renewed one': (world) => {
    const last = world.certificates.length - 1;
    return add(
      replaceAt(world, last, () => ({ validity: 'expired' })),
      specimenAt(world, last),
      'anchor',
    );
  },
  'an unrelated anchor': (world, place) =>
    add(
      world,
      {
        ...selfSigned(specimenAt(world, place), 3),
        subject: { text: 'Other', as: 'utf8' },
        issuer: { text: 'Other', as: 'utf8' },
      },
      'anchor-first',
    ),
  'the root below another root': (world) => bridge(world, {}),
  'the root below an expired root': (world) => bridge(world, { validity: 'expired' }),
  'the root below a narrow root': (world) => bridge(world, { constraints: { ca: true, pathLength: 1 } }),
  'the root and another root below each other': (world) => {
    const bridged = bridge(world, {});
    const last = world.certificates.length - 1;
    const [root, other] = [specimenAt(world, last), specimenAt(bridged, bridged.certificates.length - 1)];
    const back = { ...other, issuer: root.subject, signer: root.key, authorityKeyId: root.subjectKeyId };
    return add({ ...world, ...bridged }, back, 'chain');
  },
  'the root in the chain, too': (world) => ({ ...world, chain: [...world.chain, world.certificates.length - 1] }),
  'the chain anchored in the middle': (world, place) => ({ ...world, anchors: [place] }),
  'the judged one anchored, too': (world) => ({ ...world, anchors: [...world.anchors, world.chain[0] ?? 0] }),
  'a certificate left out': (world, place) => ({
    ...world,
    chain: world.chain.filter((member, index) => index === 0 || member !== place),
  }),
  'intermediates in reverse': ({ chain: [first = 0, ...rest], ...world }) => ({
    ...world,
    chain: [first, ...rest.reverse()],
  }),
  'every certificate twice': ({ chain, anchors, ...world }) => ({
    ...world,
    chain: [...chain, ...chain],
    anchors: [...anchors, ...anchors],
  }),
  'no anchors but another': (world, place) =>
    add(
      { ...world, anchors: [] },
      {
        ...selfSigned(specimenAt(world, place), 3),
        subject: { text: 'Other', as: 'utf8' },
        issuer: { text: 'Other', as: 'utf8' },
      },
      'anchor',
    ),
};

/** These cost much to make, so they are rare. */
const crowds: Record<string, Change> = {
  'a crowd of namesakes': (world, place) => crowd(world, place, 98),
  'a crowd of namesakes on two levels': (world, place) =>
    crowd({ ...world, ...crowd(world, place, 52) }, Math.max(0, place - 1), 52),
};

function replaceAt(world: World, place: number, change: (specimen: Specimen) => Partial<Specimen>): World {
  return {
    ...world,
    certificates: world.certificates.map((one, index) => (index === place ? { ...one, ...change(one) } : one)),
  };
}

function specimenAt({ certificates }: Pick<World, 'certificates'>, place: number): Specimen {
  const specimen = certificates[place];
  if (!specimen) throw new Error(`there is no certificate ${place}`);
  return specimen;
}

function selfSigned(specimen: Specimen, key = specimen.key): Specimen {
  return { ...specimen, key, signer: key, issuer: specimen.subject, subjectKeyId: key, authorityKeyId: key };
}

function add(world: World, specimen: Specimen, where: 'anchor' | 'anchor-first' | 'chain'): World {
  const place = world.certificates.length;
  return {
    ...world,
    certificates: [...world.certificates, specimen],
    chain: where === 'chain' ? [...world.chain, place] : world.chain,
    anchors:
      where === 'chain' ? world.anchors : where === 'anchor' ? [...world.anchors, place] : [place, ...world.anchors],
  };
}

/** The root bears another root's signature, too, and only the other one is an anchor. */
function bridge(world: World, change: Partial<Specimen>): World {
  const root = specimenAt(world, world.certificates.length - 1);
  const other: Specimen = {
    ...selfSigned(root, 4),
    subject: { text: 'Other', as: 'utf8' },
    issuer: { text: 'Other', as: 'utf8' },
    ...change,
  };
  const cross: Specimen = { ...root, issuer: other.subject, signer: other.key, authorityKeyId: other.subjectKeyId };
  return add(add({ ...world, anchors: [] }, cross, 'chain'), other, 'anchor');
}

/** Go gives up after a hundred signature checks; a crowd in front of the right parent shows it. */
function crowd(world: World, place: number, size: number): World {
  const parent = specimenAt(world, Math.min(place + 1, world.certificates.length - 1));
  const first = world.certificates.length;
  const namesakes = Array.from(
    { length: size },
    (_, index): Specimen => ({ ...parent, key: index % 2 ? 2 : 3, signer: 4, dnsName: `n${index}`, validity: 'now' }),
  );
  const [judged = 0, ...rest] = world.chain;
  return {
    ...world,
    certificates: [...world.certificates, ...namesakes],
    chain: [judged, ...namesakes.map((_, index) => first + index), ...rest],
  };
}

const oddity = fc.oneof(
  { weight: 120, arbitrary: fc.constantFrom(...Object.keys(certificateOddities)) },
  { weight: 60, arbitrary: fc.constantFrom(...Object.keys(worldOddities)) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(crowds)) },
);

/** Chains of one to six certificates with up to four oddities, each at a place of its own. */
export const worlds: fc.Arbitrary<World> = fc
  .record({
    keys: fc.shuffledSubarray(
      Array.from({ length: soundKeys }, (_, place) => place),
      { minLength: 1, maxLength: 6 },
    ),
    usage: fc.constantFrom('serverAuth' as const, 'clientAuth' as const, undefined),
    oddities: fc.array(fc.tuple(oddity, fc.nat(5)), { maxLength: 4 }),
  })
  .map(({ keys, usage, oddities }) =>
    oddities.reduce((world, [name, where]) => applyOddity(world, name, where % keys.length), soundWorld(keys, usage)),
  );

function applyOddity(world: World, name: string, place: number): World {
  const change = certificateOddities[name];
  const changed = change
    ? replaceAt(world, place, () => change)
    : { ...world, ...(worldOddities[name] ?? crowds[name])?.(world, place) };
  return { ...changed, oddities: [...world.oddities, `${place}: ${name}`] };
}
