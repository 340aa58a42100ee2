import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepFile } from '../../src/cli/keep-file.ts';
import { temporaryDirectory } from '../support/directory.ts';

const key = 'the key of a root\n';
const place = () => {
  const folder = temporaryDirectory('keep-file');
  return { folder, file: { path: join(folder, 'root.key'), content: Buffer.from(key).toString('base64') } };
};

test('the file is private, and nothing lies beside it', () => {
  const { folder, file } = place();
  keepFile(file);
  expect(readFileSync(file.path, 'utf8')).toBe(key);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['root.key']);
});

test('the same one there already is well', () => {
  const { folder, file } = place();
  keepFile(file);
  const { ino, mtimeMs } = statSync(file.path);
  keepFile(file);
  expect(statSync(file.path)).toMatchObject({ ino, mtimeMs });
  expect(readdirSync(folder)).toEqual(['root.key']);
});

test.each(['', key.slice(0, 5), 'another key\n'])('what else is there is never overwritten: %j', (present) => {
  const { folder, file } = place();
  writeFileSync(file.path, present);
  expect(() => keepFile(file)).toThrow(expect.objectContaining({ code: 'file.exists' }));
  expect(readFileSync(file.path, 'utf8')).toBe(present);
  expect(readdirSync(folder)).toEqual(['root.key']);
});

test('in a folder that is gone it says so', () => {
  const { folder, file } = place();
  expect(() => keepFile({ ...file, path: join(folder, 'gone', 'root.key') })).toThrow(
    expect.objectContaining({ code: 'file.io' }),
  );
});
