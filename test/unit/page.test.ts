import { beforeAll, describe, expect, test } from 'vitest';
import { describeFailedSite, judgeSite, uniteSites } from '../../src/app/trust-report/judge.ts';
import type { SiteReport } from '../../src/app/trust-report/report.ts';
import { plantTrees } from '../../src/render/page/chain.ts';
import { foreign, html, print } from '../../src/render/page/escape.ts';
import { renderPage } from '../../src/render/page/page.ts';
import { positionOf, scaleOf, ticksOf } from '../../src/render/page/time-scale.ts';
import { mend, tellRest } from '../../src/render/page/words.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { sidecarPod } from '../support/sidecar-pods.ts';
import { clusterInput, directoryInput, fixtureFiles, judgement } from '../support/trust-inputs.ts';

const hostile = `</script></style><img src=x onerror=alert(1)>"'&\u202egpj.exe\u0000\n`;
const harmless =
  '&lt;/script&gt;&lt;/style&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\\u202egpj.exe\\u0000\\u000a';

describe('what stands in a page', () => {
  test('is escaped in elements and in attributes, lists and numbers too', () => {
    expect(print(html`<p title="${hostile}">${hostile}</p>`)).toBe(`<p title="${harmless}">${harmless}</p>`);
    expect(print(html`${[html`<b>${1}</b>`, '<', undefined]}`)).toBe('<b>1</b>&lt;');
    expect(print(foreign('<'))).toBe('<bdi>&lt;</bdi>');
  });

  test('a mend has its commands marked, and manifests as they are', () => {
    expect(print(mend('Run `a <b>`.'))).toBe(
      '<p class="mend"><strong>Mend:</strong> Run <code>a &lt;b&gt;</code>.</p>',
    );
    expect(print(mend('Apply:\nkind: Role\n  name: <x>'))).toContain(
      '<pre><code>kind: Role\n  name: &lt;x&gt;</code></pre>',
    );
  });
});

describe('a page made of hostile words', () => {
  let page: string;

  beforeAll(async () => {
    const pods = [sidecarPod('', { namespace: hostile, workload: { kind: hostile, name: hostile } })];
    const site = judgeSite(await clusterInput(hostile, fixtureFiles('bridged'), pods), judgement, 'never');
    const poisoned = poison(site);
    const failed = describeFailedSite(hostile, 3, { code: hostile, message: hostile, hint: `\`${hostile}\`` });
    page = renderPage(uniteSites([poisoned, failed], fixtureInstant));
  });

  /** Every text of it that comes from certificates, names or contexts. */
  function poison(site: SiteReport): SiteReport {
    const inspect = site.inspect as NonNullable<SiteReport['inspect']>;
    const certificates = inspect.certificates.map((one) => ({
      ...one,
      subject: `CN=${hostile}`,
      issuer: hostile,
      file: hostile,
      serial: hostile,
      dnsNames: [hostile],
      uris: [hostile],
      keyAlgorithm: hostile,
    }));
    const problems = [{ file: hostile, line: 1, message: hostile }];
    return { ...site, name: hostile, inspect: { ...inspect, certificates, problems } };
  }

  test('has no element and no attribute of theirs', () => {
    expect(page).not.toMatch(/<(?:script|img|iframe|object|embed|form|input|base)\b/i);
    expect(page.match(/<\/style>/g)).toHaveLength(1);
    expect(page.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\son[a-z]+=/i);
    expect(page).toContain(harmless);
  });

  test('has no control and no direction character in it', () => {
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  });

  test('lets in one style by its digest, and nothing else', () => {
    expect(page).toMatch(/content="default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; img-src data:;/);
    expect(page).not.toContain(' style="');
    expect(page).not.toMatch(/(?:https?:)?\/\/(?!127|10\.0\.0\.1)[a-z]/i);
  });
});

test('ten thousand pods make a page of some hundred kilobytes, and what is left out is told', async () => {
  const files = fixtureFiles('bridged');
  const pods = Array.from({ length: 10_000 }, (_, index) =>
    sidecarPod(index % 2 === 0 ? files.anchors : '', {
      name: `pod-${index}`,
      workload: { kind: 'Deployment', name: `app-${index % 2000}` },
    }),
  );
  const site = judgeSite(await clusterInput('prod', files, pods), judgement, 'never');
  const page = renderPage(uniteSites([site], fixtureInstant));
  expect(Buffer.byteLength(page)).toBeLessThan(200_000);
  expect(page).toContain('And 960 workloads more with 4800 sidecars');
  expect(page.match(/Deployment\/app-/g)).toHaveLength(2 * 40 + 3);
});

test('never holds the key', () => {
  const files = fixtureFiles('bridged');
  const page = renderPage(uniteSites([judgeSite(directoryInput(files), judgement, 'never')], fixtureInstant));
  const [, secret = ''] = String(files.issuerKey).split('\n');
  expect(page).toContain('private key');
  expect(page).not.toContain(secret);
});

const at = (text: string) => Date.parse(text);

describe('the axis of time', () => {
  test('goes from the first beginning to the last end, with room, and now is on it', () => {
    const scale = scaleOf([{ from: 0, to: 1000 * 86_400_000 }], 500 * 86_400_000);
    expect(positionOf(scale, scale.now)).toBe(50);
    expect(positionOf(scale, 0)).toBeCloseTo(1.92, 2);
    expect([positionOf(scale, -1e15), positionOf(scale, 1e15)]).toEqual([0, 100]);
  });

  test('also where now is outside of all of them', () => {
    const later = scaleOf([{ from: 0, to: 1 }], 86_400_000);
    expect(positionOf(later, later.now)).toBeGreaterThan(95);
    expect(positionOf(later, 0)).toBeLessThan(5);
  });

  test('is not spoilt by a root of the year 9999', () => {
    const now = at('2026-12-01T00:00:00Z');
    const scale = scaleOf([{ from: now, to: at('9999-12-31T23:59:59Z') }], now);
    expect(new Date(scale.end).getUTCFullYear()).toBeLessThan(2060);
  });

  test.each([
    ['2026-12-01T12:00:00Z', '2026-12-01T12:20:00Z', ['12:00', '12:05', '12:10', '12:15', '12:20']],
    ['2026-12-01T01:00:00Z', '2026-12-08T01:00:00Z', ['12-02', '12-04', '12-06', '12-08']],
    ['2026-11-22T00:00:00Z', '2027-11-22T00:00:00Z', ['2027-01', '2027-04', '2027-07', '2027-10']],
    ['2020-02-01T00:00:00Z', '2030-02-01T00:00:00Z', ['2022', '2024', '2026', '2028', '2030']],
    ['2000-01-01T00:00:00Z', '2040-01-01T00:00:00Z', ['2010', '2020', '2030', '2040']],
  ])('%s to %s is marked at %j', (from, to, labels) => {
    const ticks = ticksOf({ start: at(from), end: at(to), now: at(from) });
    expect(ticks.map(({ label }) => label)).toEqual(labels);
    expect(ticks.every((tick, index) => index === 0 || tick.at > (ticks[index - 1]?.at ?? 0))).toBe(true);
  });

  test('has few marks whatever its length', () => {
    for (let length = 60_000; length < 50 * 366 * 86_400_000; length *= 1.37) {
      const start = at('2026-11-22T03:30:35Z');
      const { length: count } = ticksOf({ start, end: start + length, now: start });
      expect([count > 0, count <= 7]).toEqual([true, true]);
    }
  });
});

describe('the rest of a certificate', () => {
  const certificate = { notBefore: '2027-01-01T00:00:00Z', status: 'valid' as const };
  test.each([
    [{ ...certificate, remainingSeconds: 30 * 86_400 + 1 }, '30 days left'],
    [{ ...certificate, remainingSeconds: 86_400 + 3600 }, '1 day 1 hour left'],
    [{ ...certificate, remainingSeconds: -3 * 86_400, status: 'expired' as const }, 'ended 3 days ago'],
    [{ ...certificate, remainingSeconds: 5, status: 'not-yet-valid' as const }, 'begins on 2027-01-01'],
  ])('%j: %s', (rest, words) => {
    expect(tellRest(rest)).toBe(words);
  });
});

interface Tree {
  readonly certificate: { readonly fingerprint: string };
  readonly below: readonly Tree[];
}

describe('the chain', () => {
  const certificate = (fingerprint: string, signedBy: string[], selfSigned = false) => ({
    fingerprint,
    signedBy,
    selfSigned,
  });
  const draw = (certificates: ReturnType<typeof certificate>[]) => {
    const name = ({ certificate: { fingerprint }, below }: Tree): string =>
      below.length === 0 ? fingerprint : `${fingerprint}(${below.map(name).join(' ')})`;
    return plantTrees(certificates).map(name).join(' ');
  };

  test.each([
    [
      'a bridge',
      [
        certificate('old', [], true),
        certificate('new', [], true),
        certificate('issuer', ['new', 'bridge']),
        certificate('bridge', ['oldissuer']),
        certificate('oldissuer', ['old']),
      ],
      'old(oldissuer(bridge(issuer))) new(issuer)',
    ],
    ['one without its signer', [certificate('issuer', [])], 'issuer'],
    ['a circle', [certificate('a', ['b']), certificate('b', ['a'])], 'a(b) b(a)'],
    ['the same twice', [certificate('a', [], true), certificate('a', [], true)], 'a'],
  ])('%s', (_name, certificates, drawn) => {
    expect(draw(certificates)).toBe(drawn);
  });
});
