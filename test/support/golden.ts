import { expect } from 'vitest';
import { fixturePath } from './fixtures.ts';

/** Byte by byte. `npx vitest run --project golden -u` writes them anew; read the difference. */
export async function expectGolden(name: string, text: string): Promise<void> {
  await expect(text).toMatchFileSnapshot(fixturePath(`golden/${name}`));
}
