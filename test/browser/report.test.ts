import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrustReport } from '../../src/app/trust-report/report.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { run } from '../support/command-line.ts';
import { commonName, forgeRoot } from '../support/forged-certificate.ts';
import { type ReportStage, stageInstant, startReportStage } from '../support/report-stage.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';
import { type Browser, findChromium, type Look, type Page, startChromium } from './chromium.ts';

const program = findChromium(process.env);
const why = program ? '' : ' (skipped: there is no chromium on the PATH, and CHROMIUM names none)';
const folder = makeFolder('browser');
const at = ['--at', stageInstant.toISOString()];

/** Pages by name, made by the built program. */
const scenes = ['directory', 'ending', 'rotating', 'closed', 'clusters', 'hostile'] as const;
type Scene = (typeof scenes)[number];

let stage: ReportStage;
let browser: Browser;

beforeAll(async () => {
  if (!program) return;
  stage = await startReportStage(folder);
  const certs = copyBundle(folder, 'sentry-1.17', 'certs');
  const scene = async (name: Scene, ...words: string[]) => {
    const env = { KUBECONFIG: stage.kubeconfig, HOME: folder };
    for (const format of ['html', 'json']) {
      const output = join(folder, `${name}.${format}`);
      const { status, stderr } = await run(['mtls', 'report', ...words, '--format', format, '-o', output], { env });
      expect([0, 3], stderr).toContain(status);
    }
  };
  await scene('directory', '--dir', certs, ...at);
  await scene('hostile', '--dir', putHostileBundle(), ...at);
  await scene('ending', '--dir', certs, '--at', '2027-11-10');
  await scene('rotating', '--context', 'prod-eu', ...at);
  await scene('clusters', '--all-contexts', ...at);
  stage.allow({
    allow: 'all',
    deny: [
      { verb: 'get', resource: 'secrets' },
      { verb: 'list', resource: 'pods' },
    ],
  });
  await scene('closed', '--context', 'prod-eu', ...at);
  browser = await startChromium(program);
});

/** What would run, break out, turn the line around or push the page apart if it were let. */
const hostileName = `</script><img src=x onerror="document.title='gone'">\u202egpj.exe ${'x'.repeat(300)}`;

/** A bundle that nobody would accept, whose root and issuer bear such a name. */
function putHostileBundle(): string {
  const directory = copyBundle(folder, 'sentry-1.17', 'hostile');
  const name = commonName(hostileName);
  const pem = encodePem('CERTIFICATE', forgeRoot({ subject: name, issuer: name }));
  for (const file of ['ca.crt', 'issuer.crt']) writeFileSync(join(directory, file), pem);
  return directory;
}

afterAll(async () => {
  await browser?.close();
  await stage?.stop();
});

const addressOf = (scene: Scene) => pathToFileURL(join(folder, `${scene}.html`)).href;

async function withPage<T>(scene: Scene, look: Look, use: (page: Page) => Promise<T>): Promise<T> {
  const page = await browser.open(addressOf(scene), look);
  try {
    return await use(page);
  } finally {
    await page.close();
  }
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const looks: Look[] = [
  { width: 360, scheme: 'light', media: 'screen' },
  { width: 360, scheme: 'dark', media: 'screen' },
  { width: 1440, scheme: 'light', media: 'screen' },
  { width: 1440, scheme: 'dark', media: 'screen' },
  { width: 794, scheme: 'dark', media: 'print' },
];

describe.skipIf(!program)(`the page in Chromium${why}`, () => {
  describe.each(scenes)('%s', (scene) => {
    test.each(looks)(
      'axe finds nothing, nothing hangs over, nothing is asked for: $width px, $scheme, $media',
      async (look) => {
        await withPage(scene, look, async (page) => {
          await page.run(axe.source);
          // Also what stands in folds: a reader opens them.
          await page.run("for (const fold of document.querySelectorAll('details')) fold.open = true");
          const { violations, passes } = await page.evaluate<{ violations: Violation[]; passes: number }>(`
          axe.run(document, { runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations', 'passes'] })
            .then(({ violations, passes }) => ({ violations, passes: passes.length }))`);
          const found = violations.map(
            ({ id, nodes }) =>
              `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
          );
          expect(found).toEqual([]);
          expect(passes).toBeGreaterThan(20);
          const widths = await page.evaluate<number[]>(
            '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
          );
          expect(widths[0]).toBe(widths[1]);
          expect(page.requests.filter((url) => !url.startsWith('data:'))).toEqual([addressOf(scene)]);
          expect(page.complaints).toEqual([]);
        });
      },
    );

    test('the keyboard reaches every link and fold in the order of the page, and shows where it is', async () => {
      await withPage(scene, { width: 1440, scheme: 'light' }, async (page) => {
        const wanted = await page.evaluate<number>(`
          window.stops = [...document.querySelectorAll('a[href], summary')]
            .filter((stop) => stop.matches('.skip') || stop.checkVisibility());
          stops.length`);
        expect(wanted).toBeGreaterThan(4);
        for (let index = 0; index < wanted; index++) {
          await page.press('Tab');
          const stop = await page.evaluate<{ index: number; outline: string; width: number }>(`(() => {
            const { activeElement } = document;
            const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
            return { index: stops.indexOf(activeElement), outline: outlineStyle, width: parseFloat(outlineWidth) };
          })()`);
          expect(stop).toEqual({ index, outline: 'solid', width: 2 });
        }
      });
    });

    test('its figures are those of the document', async () => {
      const report = JSON.parse(readFileSync(join(folder, `${scene}.json`), 'utf8')) as TrustReport;
      const valueAt = (path: string) =>
        path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], report);
      await withPage(scene, { width: 1440, scheme: 'light' }, async (page) => {
        const figures = await page.evaluate<[string, string][]>(
          "[...document.querySelectorAll('[data-figure]')].map((figure) => [figure.dataset.figure, figure.textContent])",
        );
        for (const [path, text] of figures) expect([path, text]).toEqual([path, String(valueAt(path))]);
        expect(figures.length > 0).toBe(report.sites.some(({ findings, audit }) => findings.length > 0 || audit));
        const rows = await page.evaluate<string[][]>(`
          [...document.querySelectorAll('.axis tbody tr')].map((row) =>
            [...row.querySelectorAll('time')].map(({ dateTime }) => dateTime))`);
        const certificates = report.sites.flatMap(({ inspect }) => inspect?.certificates ?? []);
        expect(rows).toEqual(certificates.map(({ notBefore, notAfter }) => [notBefore, notAfter]));
        const shown = await page.evaluate<number>("document.querySelectorAll('ul.findings:not(.unread) > li').length");
        expect(shown).toBe(report.sites.reduce((sum, { findings }) => sum + findings.length, 0));
      });
    });

    test('its headings are in order, its ids are each there once, its links lead somewhere', async () => {
      await withPage(scene, { width: 1440, scheme: 'light' }, async (page) => {
        const { levels, lost, twice } = await page.evaluate<{
          levels: number[];
          lost: string[];
          twice: string[];
        }>(`(() => {
          const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
          return {
            levels: [...document.querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => Number(tagName[1])),
            lost: [...document.querySelectorAll('a')].map(({ hash }) => hash.slice(1)).filter((id) => !ids.includes(id)),
            twice: ids.filter((id, index) => ids.indexOf(id) !== index),
          };
        })()`);
        expect([lost, twice]).toEqual([[], []]);
        expect(levels[0]).toBe(1);
        expect(levels.filter((level) => level === 1)).toHaveLength(1);
        for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
      });
    });
  });

  test('a link to the whole fingerprint leads to it, and Enter opens the fold', async () => {
    await withPage('rotating', { width: 1440, scheme: 'light' }, async (page) => {
      await page.run("document.querySelector('.axis a').focus()");
      await page.press('Enter');
      expect(await page.evaluate('location.hash')).toBe('#site-1-certificate-1');
      await page.run("document.querySelector('#site-1-certificate-1 summary').focus()");
      await page.press('Enter');
      expect(await page.evaluate("document.querySelector('#site-1-certificate-1').open")).toBe(true);
    });
  });

  test('a name that would be a script is a name', async () => {
    await withPage('hostile', { width: 360, scheme: 'light' }, async (page) => {
      const { title, images, names } = await page.evaluate<{ title: string; images: number; names: string[] }>(`({
        title: document.title,
        images: document.querySelectorAll('img, script').length,
        names: [...document.querySelectorAll('.fields bdi')].map(({ textContent }) => textContent),
      })`);
      expect([title.startsWith('Broken: '), images]).toEqual([true, 0]);
      // The name as it is told everywhere, its own signs escaped as in RFC 4514.
      expect(names[0]).toMatch(/script.*img src=x onerror=.*gone.*\\u202egpj\.exe x{300}$/);
      expect(await page.evaluate<string>("document.querySelector('.axis .name').textContent")).toMatch(/^.{63}…$/);
    });
  });

  test('the skip link comes first and leads past the way into the page', async () => {
    await withPage('rotating', { width: 360, scheme: 'dark' }, async (page) => {
      await page.press('Tab');
      await page.press('Enter');
      expect(await page.evaluate('document.activeElement.id')).toBe('content');
    });
  });

  test('a bar ends where its certificate does, and the line of now is where it is', async () => {
    await withPage('ending', { width: 1440, scheme: 'light' }, async (page) => {
      const { now, from, to, certificate } = await page.evaluate<{
        now: number;
        from: number;
        to: number;
        certificate: [string, string];
      }>(`(() => {
        const row = document.querySelector('.axis tbody tr');
        const middle = ({ left, right }) => (left + right) / 2;
        const [passed, left] = ['.passed', '.left'].map((part) => row.querySelector(part).getBoundingClientRect());
        return {
          now: middle(row.querySelector('.bar .now').getBoundingClientRect()),
          from: passed.left,
          to: left.right,
          certificate: [...row.querySelectorAll('time')].map(({ dateTime }) => dateTime),
        };
      })()`);
      const [begin, end] = certificate.map((instant) => Date.parse(instant)) as [number, number];
      const share = (Date.parse('2027-11-10T00:00:00Z') - begin) / (end - begin);
      expect((now - from) / (to - from)).toBeCloseTo(share, 1);
    });
  });

  test('printed, every fold is open, and nothing of the way through the page is left', async () => {
    await withPage('rotating', { width: 794, scheme: 'dark', media: 'print' }, async (page) => {
      const seen = await page.evaluate<{ folds: boolean[]; nav: string; ground: string }>(`({
        folds: [...document.querySelectorAll('details dl, details table')].map((body) => body.getBoundingClientRect().height > 0),
        nav: getComputedStyle(document.querySelector('nav')).display,
        ground: getComputedStyle(document.body).backgroundColor,
      })`);
      expect(seen.folds.length).toBeGreaterThan(4);
      expect(seen).toEqual({ folds: seen.folds.map(() => true), nav: 'none', ground: 'rgb(255, 255, 255)' });
      expect((await page.pdf()).subarray(0, 5).toString()).toBe('%PDF-');
    });
  });
});
