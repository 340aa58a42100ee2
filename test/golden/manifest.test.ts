import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { makeRotateManifest, type RotateManifestWish } from '../../src/app/manifest/rotate.ts';
import { readRotateManifestWish } from '../../src/cli/manifest-rotate-input.ts';
import { renderManifest } from '../../src/render/manifest.ts';
import { leaseName } from '../../src/store/cluster/lease.ts';
import { rotationRules } from '../../src/store/cluster/rotation-rights.ts';
import { expectGolden } from '../support/golden.ts';

const least: RotateManifestWish = {
  image: 'registry.example:5000/dapr-mtls:0.1.0',
  namespace: 'dapr-system',
  name: 'dapr-mtls-rotate',
  words: [],
  restartsApplications: false,
  mayProbe: false,
  passphraseSecret: undefined,
};
const all: RotateManifestWish = {
  ...least,
  words: ['--drain', 'restart', '--window', 'Sat 02:00-05:00 Europe/Berlin', '--pace', '30s'],
  restartsApplications: true,
  mayProbe: true,
  passphraseSecret: 'rotation-passphrase',
};

describe('the Job of a rotation', () => {
  test('is written as YAML documents, or as one List', async () => {
    await expectGolden('manifest-rotate.yaml', renderManifest(makeRotateManifest(least), 'text'));
    await expectGolden('manifest-rotate.all.yaml', renderManifest(makeRotateManifest(all), 'yaml'));
    await expectGolden('manifest-rotate.json', renderManifest(makeRotateManifest(all), 'json'));
  });

  test.each([least, all])('is the same in either way of writing', (wish) => {
    const objects = makeRotateManifest(wish);
    const documents = parseAllDocuments(renderManifest(objects, 'text')).map((document) => document.toJS());
    expect(documents).toEqual(objects);
    expect(JSON.parse(renderManifest(objects, 'json')).items).toEqual(objects);
  });

  test('may do what the record and the lock of a rotation take', () => {
    const role = makeRotateManifest(least).find(({ kind }) => kind === 'Role') as { rules: Rule[] };
    const isAllowed = (rule: Rule, verb: string) =>
      role.rules.some(
        (other) =>
          other.verbs.includes(verb) &&
          rule.apiGroups.every((group) => other.apiGroups.includes(group)) &&
          rule.resources.every((resource) => other.resources.includes(resource)) &&
          (!other.resourceNames || rule.resourceNames?.every((name) => other.resourceNames?.includes(name))),
      );
    for (const rule of rotationRules)
      for (const verb of rule.verbs) expect([rule, verb, isAllowed(rule, verb)]).toEqual([rule, verb, true]);
    expect(JSON.stringify(role.rules)).toContain(`"${leaseName}"`);
  });

  test('may touch no secret but three, and nothing beyond the control plane unless it was told to', () => {
    const rules = (wish: RotateManifestWish) =>
      makeRotateManifest(wish).flatMap(({ kind, rules = [] }) => (rules as Rule[]).map((rule) => ({ kind, ...rule })));
    const onSecrets = rules(all).filter(({ resources }) => resources.includes('secrets'));
    expect(onSecrets.map(({ verbs, resourceNames }) => [verbs, resourceNames])).toEqual([
      [
        ['get', 'patch'],
        ['dapr-trust-bundle', 'dapr-mtls-backup', 'dapr-mtls-rotation'],
      ],
      [['create'], undefined],
    ]);
    const wide = rules(least).filter(({ kind }) => kind === 'ClusterRole');
    expect(wide.map(({ resources, verbs }) => [resources, verbs])).toEqual([
      [['pods'], ['list']],
      [['mutatingwebhookconfigurations'], ['get']],
    ]);
    expect(rules(least).some(({ verbs }) => verbs.includes('impersonate') || verbs.includes('*'))).toBe(false);
  });
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

describe('the words of the Job', () => {
  const flags = {
    image: 'x',
    namespace: 'dapr-system',
    name: 'rotate',
    'restart-apps': false,
    'allow-probe': false,
    'passphrase-secret': undefined,
    drain: undefined,
    'skip-workload': [],
    until: undefined,
    window: undefined,
    'max-parallel': undefined,
    pace: 0,
    timeout: undefined,
    'ignore-owner': [],
  };

  test('are none where nothing was said', () => {
    expect(readRotateManifestWish(flags).words).toEqual([]);
  });

  test('are those of `rotate run`', () => {
    const wish = readRotateManifestWish({
      ...flags,
      drain: 'restart',
      'skip-workload': ['shop/a', 'shop/b'],
      until: 'switch',
      window: 'daily 01:00-05:00',
      'max-parallel': 2,
      pace: 1500,
      timeout: 60,
      'ignore-owner': ['helm'],
    });
    expect(wish.words.join(' ')).toBe(
      '--drain restart --skip-workload shop/a --skip-workload shop/b --until switch --window daily 01:00-05:00 --max-parallel 2 --pace 1.5s --timeout 60 --ignore-owner helm',
    );
  });

  test('are refused now where the Job would refuse them tonight', () => {
    expect(() => readRotateManifestWish({ ...flags, window: 'tonight' })).toThrow(
      expect.objectContaining({ code: 'usage.invalid' }),
    );
  });
});
