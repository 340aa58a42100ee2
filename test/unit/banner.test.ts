import { describe, expect, test } from 'vitest';
import { glanceAtExpiry, glanceAtPublicParts, glanceAtSecret } from '../../src/app/banner.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import { renderBanner } from '../../src/render/banner.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { expiryFarOff } from '../support/status-objects.ts';

const names = { anchors: 'ca.crt', issuerChain: 'issuer.crt' };
const bundle = readForeignBundle('sentry-1.17');
/** Of both its certificates. */
const end = new Date('2027-11-22T01:06:12Z');
const ahead = (ms: number) => new Date(end.getTime() - ms);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe('the warning', () => {
  test.each([
    ['30 days before', ahead(30 * dayMs), undefined],
    ['a second less than 30 days before', ahead(30 * dayMs - 1000), 'expires in 29 days.'],
    ['two and a half days before', ahead(2.5 * dayMs), 'expires in 2 days.'],
    ['23 hours before', ahead(23 * hourMs), 'expires today.'],
    ['an hour after', ahead(-hourMs), 'has expired.'],
  ])('%s', (_, at, words) => {
    const banner = renderBanner(glanceAtExpiry(bundle, names, at));
    const line = (role: string) =>
      `⚠  Dapr ${role} certificate of your Kubernetes cluster ${words} Expiry date: Mon, 22 Nov 2027 01:06:12 UTC. \n`;
    const advice = ' Please see docs.dapr.io for certificate renewal instructions to avoid service interruptions.\n';
    expect(banner).toBe(words === undefined ? '' : `${line('root')}${line('issuer')}${advice}`);
  });

  test('names the issuer alone where it ends first', () => {
    const glance = expiryFarOff({ issuer: { status: 'expiring', remainingSeconds: 2 * 86_400 } });
    expect(renderBanner(glance)).toMatch(
      /^⚠ {2}Dapr issuer certificate of your Kubernetes cluster expires in 2 days\./,
    );
    expect(renderBanner(glance)).not.toContain('root');
  });
});

describe('where the certificates cannot be read', () => {
  const other = readForeignBundle('sentry-1.18');
  const data = { 'ca.crt': bundle.anchors.toString('base64'), 'issuer.crt': '' };
  const present = { presence: 'present', refusal: undefined } as const;
  const refusal = new DaprMtlsError('cluster.forbidden', { message: 'may not get secrets', hint: 'a Role' });

  test.each([
    ['the Secret is refused', { presence: 'unknown', object: undefined, refusal } as const, 'may not get secrets'],
    [
      'the Secret is gone',
      { presence: 'absent', object: undefined, refusal: undefined } as const,
      'there is no Secret of the trust bundle',
    ],
    ['it is empty', { ...present, object: { metadata: { name: 'x' } } }, 'there is no ca.crt'],
    ['half of it is empty', { ...present, object: { metadata: { name: 'x' }, data } }, 'there is no issuer.crt'],
  ])('the banner says so: %s', (_, secret, reason) => {
    expect(renderBanner(glanceAtSecret(secret, names, end))).toBe(`expiry not checked: ${reason}\n`);
  });

  test.each([
    [{ ...bundle, issuerChain: Buffer.from('nothing') }, 'issuer.crt holds no readable certificate'],
    [{ ...bundle, issuerChain: other.issuerChain }, 'no certificate in ca.crt has signed the issuer in issuer.crt'],
  ])('no guess is made (%#)', (files, reason) => {
    expect(glanceAtExpiry(files, names, end)).toEqual({ checked: false, reason, root: null, issuer: null });
  });
});

describe('where the Secret may not be read', () => {
  const unread = { reason: 'Sentry cannot be reached from here', hint: 'a port-forward' };
  const look = (files: { anchors: Buffer; issuerChain: Buffer | undefined }) => ({
    kind: 'read' as const,
    names,
    stored: {
      files: { ...files, issuerKey: undefined },
      revision: '1',
      state: 'unknown' as const,
      unread: files.issuerChain ? {} : { issuerChain: unread },
    },
  });
  const withoutIssuer = { ...bundle, issuerChain: undefined };

  test('it warns all the same', () => {
    const glance = glanceAtPublicParts(look(bundle), ahead(dayMs));
    expect(glance).toEqual({ ...glanceAtExpiry(bundle, names, ahead(dayMs)), source: 'public' });
    expect(renderBanner(glance)).toContain('issuer certificate');
  });

  test('a single anchor is the root, and the issuer is said to be unknown', () => {
    const banner = renderBanner(glanceAtPublicParts(look(withoutIssuer), ahead(dayMs)));
    expect(banner).toMatch(/^⚠ {2}Dapr root .*\n Please see .*\nexpiry of the issuer not checked: Sentry cannot be /);
    expect(renderBanner(glanceAtPublicParts(look(withoutIssuer), ahead(40 * dayMs)))).toBe(
      'expiry of the issuer not checked: Sentry cannot be reached from here\n',
    );
  });

  test('of several anchors none is called the root', () => {
    const several = { ...withoutIssuer, anchors: Buffer.concat([bundle.anchors, readForeignBundle('step').anchors]) };
    const glance = glanceAtPublicParts(look(several), ahead(dayMs));
    expect(glance).toMatchObject({ checked: false, root: null, issuer: null });
    expect(renderBanner(glance)).toBe('expiry not checked: Sentry cannot be reached from here\n');
  });
});
