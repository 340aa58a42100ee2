import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { accepted, type Judge, openJudge, openLint, skippedWithoutGo } from './go-judge.ts';

const run = promisify(execFile);
const judge = await openJudge();
const lint = await openLint();
const openssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
);

interface Bundle {
  readonly ca: string;
  readonly issuer: string;
  readonly key: string;
}

if (!judge || !lint) {
  test.skip(skippedWithoutGo);
} else {
  describe.each(['ed25519', 'ecdsa-p256'] as const)("Sentry's own bundle, %s", (keyType) => {
    test('is taken by Sentry and serves its sidecars', async () => {
      const bundle = await sentryBundle(judge, keyType);
      await expectServing(judge, bundle);
    });

    test('has an issuer without the AKI that RFC 5280 asks for', async () => {
      const bundle = await sentryBundle(judge, keyType);
      const [root, issuer] = await lint([{ der: derOf(bundle.ca) }, { der: derOf(bundle.issuer) }]);
      expect(root).toMatchObject({ ok: true, failures: [], warnings: [] });
      expect(issuer?.failures.map(({ citation }) => citation)).toEqual(['RFC 5280: 4.2.1.1']);
    });
  });

  test('sidecars of two roots meet only where both trust both', async () => {
    const [old, fresh] = [await sentryBundle(judge), await sentryBundle(judge)];
    const both = old.ca + fresh.ca;
    const [server, client] = [await sidecar(judge, old), await sidecar(judge, fresh)];
    const [staged, early] = await judge([
      { op: 'handshake', server: { ...server, anchors: both }, client: { ...client, anchors: both } },
      { op: 'handshake', server, client: { ...client, anchors: both } },
    ]);
    expect(staged).toEqual({ ok: true });
    expect(early).toMatchObject({
      ok: false,
      error: expect.stringContaining(
        'server: x509svid: could not verify leaf certificate: x509: certificate signed by unknown authority',
      ),
      clientError: 'remote error: tls: bad certificate',
    });
  });

  test('anchors behind another block are lost in silence', async () => {
    const { ca } = await sentryBundle(judge);
    const text = Buffer.from(`${ca}-----BEGIN X509 CRL-----\nBQA=\n-----END X509 CRL-----\n${ca}`);
    const [answer] = await judge([{ op: 'pem', text }]);
    expect(answer).toMatchObject({ ok: true, sentryCertificates: 1, rest: 0 });
    expect(answer.blocks.map(({ type }) => type)).toEqual(['CERTIFICATE', 'X509 CRL', 'CERTIFICATE']);
  });

  test('a bundle with a part missing is made anew', async () => {
    const { ca, issuer } = await sentryBundle(judge);
    const [answer] = await judge([{ op: 'sentry', ca: Buffer.from(ca), issuer: Buffer.from(issuer), key: null }]);
    expect(answer).toMatchObject({ ok: false, regenerates: true });
  });

  test('a request that makes no sense is no refusal', async () => {
    const request = { op: 'verify', chain: '', anchors: '', usage: ['client'] } as const;
    await expect(judge([request])).rejects.toThrow(
      'request 0 was not judged: bad request: json: unknown field "usage"',
    );
  });

  describe.skipIf(!openssl)("the documentation's OpenSSL recipe (openssl on the PATH)", () => {
    const folders: string[] = [];
    afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

    async function recipe(): Promise<Bundle & { readonly folder: string }> {
      const folder = await mkdtemp(join(tmpdir(), 'dapr-mtls-recipe-'));
      folders.push(folder);
      return { folder, ...(await opensslBundle(folder)) };
    }

    test('is taken by Sentry, serves its sidecars and keeps to RFC 5280', async () => {
      const bundle = await recipe();
      await expectServing(judge, bundle);
      const ders = [{ der: derOf(bundle.ca) }, { der: derOf(bundle.issuer) }];
      for (const answer of await lint(ders)) expect(answer).toMatchObject({ ok: true, failures: [] });
    });

    test('leaves no room for a bridge below its issuer', async () => {
      const { ca, issuer } = await recipe();
      const [root, signer] = await judge([
        { op: 'parse', der: derOf(ca) },
        { op: 'parse', der: derOf(issuer) },
      ]);
      expect(accepted(root).certificate.maxPathLen).toBe(-1);
      expect(accepted(signer).certificate).toMatchObject({
        maxPathLen: 0,
        isCA: true,
        keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
        extKeyUsage: ['serverAuth', 'clientAuth'],
        dnsNames: ['cluster.local'],
        rawSubject: accepted(root).certificate.rawSubject,
      });
    });

    test('a key as ecparam writes it, parameters first, is none to Sentry', async () => {
      const { folder } = await recipe();
      const raw = await readFile(join(folder, 'root.raw.key'));
      const plain = await readFile(join(folder, 'root.key'));
      const [behindParameters, alone] = await judge([
        { op: 'key', pem: raw },
        { op: 'key', pem: plain },
      ]);
      expect(behindParameters).toEqual({ ok: false, error: 'unsupported block type EC PARAMETERS' });
      expect(alone).toMatchObject({ ok: true, type: 'ECDSA P-256' });
    });
  });
}

async function sentryBundle(judge: Judge, keyType: 'ed25519' | 'ecdsa-p256' = 'ed25519'): Promise<Bundle> {
  const [made] = await judge([{ op: 'bundle', trustDomain: 'cluster.local', skewSeconds: 900, keyType }]);
  return accepted(made);
}

async function sidecar(judge: Judge, { ca, issuer, key }: Bundle) {
  const [leaf] = await judge([
    {
      op: 'leaf',
      issuerChain: issuer,
      issuerKey: key,
      id_spiffe: 'spiffe://cluster.local/ns/default/app',
      ttlSeconds: 3600,
      skewSeconds: 900,
    },
  ]);
  return { chain: accepted(leaf).chain, key: accepted(leaf).key, anchors: ca };
}

/** Sentry starts on the bundle, both usages hold, and two of its sidecars shake hands. */
async function expectServing(judge: Judge, bundle: Bundle): Promise<void> {
  const { chain, key, anchors } = await sidecar(judge, bundle);
  const peer = { chain, key, anchors };
  const answers = await judge([
    { op: 'sentry', ca: Buffer.from(bundle.ca), issuer: Buffer.from(bundle.issuer), key: Buffer.from(bundle.key) },
    { op: 'verify', chain: bundle.issuer, anchors, usages: ['server', 'client'] },
    { op: 'verify', chain, anchors, usages: ['server', 'client'] },
    { op: 'handshake', server: peer, client: { ...peer, expect: 'spiffe://cluster.local/ns/default/app' } },
  ]);
  expect(answers).toEqual([{ ok: true, anchors: 1, chain: 1 }, { ok: true }, { ok: true }, { ok: true }]);
}

function derOf(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}

/** Root and issuer share one name here, and only the issuer is limited: so the documentation has it. */
async function opensslBundle(folder: string): Promise<Bundle> {
  for (const [name, constraints] of [
    ['root', 'CA:true'],
    ['issuer', 'CA:true, pathlen:0'],
  ] as const) {
    await writeFile(join(folder, `${name}.conf`), opensslConfiguration(constraints));
    await run('openssl', ['ecparam', '-genkey', '-name', 'prime256v1', '-out', `${name}.raw.key`], { cwd: folder });
    await run('openssl', ['ec', '-in', `${name}.raw.key`, '-out', `${name}.key`], { cwd: folder });
    const request = ['req', '-new', '-nodes', '-sha256', '-key', `${name}.key`, '-out', `${name}.csr`];
    await run('openssl', [...request, '-config', `${name}.conf`, '-extensions', 'v3_req'], { cwd: folder });
    const sign = ['x509', '-req', '-sha256', '-days', '365', '-in', `${name}.csr`, '-out', `${name}.pem`];
    const signer =
      name === 'root' ? ['-signkey', 'root.key'] : ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial'];
    await run('openssl', [...sign, ...signer, '-extfile', `${name}.conf`, '-extensions', 'v3_req'], { cwd: folder });
  }
  const [ca, issuer, key] = await Promise.all(
    ['root.pem', 'issuer.pem', 'issuer.key'].map((file) => readFile(join(folder, file), 'utf8')),
  );
  if (ca === undefined || issuer === undefined || key === undefined) throw new Error('openssl left a file out');
  return { ca, issuer, key };
}

function opensslConfiguration(basicConstraints: string): string {
  return `[req]
distinguished_name = req_distinguished_name
x509_extensions = v3_req
prompt = no
[req_distinguished_name]
C = US
ST = VA
L = Daprville
O = dapr.io/sentry
OU = dapr.io/sentry
CN = cluster.local
[v3_req]
basicConstraints = critical, ${basicConstraints}
keyUsage = critical, digitalSignature, cRLSign, keyCertSign
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = @alt_names
[alt_names]
DNS.1 = cluster.local
`;
}
