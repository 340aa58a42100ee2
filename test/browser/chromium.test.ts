import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '../support/workplace.ts';
import { findChromium } from './chromium.ts';

const folder = makeFolder('find-chromium');

function putProgram(place: string, name: string, mode = 0o755): string {
  mkdirSync(join(folder, place), { recursive: true });
  const path = join(folder, place, name);
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
}

test('Chromium is what CHROMIUM names, else what is found on the PATH, else nothing', () => {
  const named = putProgram('named', 'browser');
  const second = putProgram('second', 'chromium-browser');
  putProgram('first', 'chromium', 0o644);
  const PATH = [join(folder, 'nowhere'), join(folder, 'second')].join(delimiter);
  expect(findChromium({ CHROMIUM: named, PATH })).toBe(named);
  expect(findChromium({ CHROMIUM: join(folder, 'gone'), PATH })).toBe(second);
  expect(findChromium({ PATH: join(folder, 'named') })).toBeUndefined();
  expect(findChromium({})).toBeUndefined();
});
