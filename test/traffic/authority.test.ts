import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { bundleNames } from '../support/bundles.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { startAuthority } from './authority.ts';
import { strangers } from './bundles.ts';
import { openTraffic, skippedWithoutGo } from './program.ts';

const program = await openTraffic();
const mismatch = 'issuer key does not match issuer certificate';

if (!program) {
  process.stderr.write(`the traffic tests are ${skippedWithoutGo}\n`);
  test.skip(skippedWithoutGo);
} else {
  describe.concurrent('the Sentry of the traffic tests', () => {
    test('does not start on a key of another issuer', async () => {
      const { before, after } = await strangers();
      const directory = layDirectory({ ...before, issuerKey: after.issuerKey });
      await expect(startAuthority(program, directory)).rejects.toThrow(mismatch);
    });

    test('does not start where a file is missing: a real one would make all three anew', async () => {
      const { anchors } = (await strangers()).before;
      await expect(startAuthority(program, layDirectory({ anchors }))).rejects.toThrow('issuer.crt');
    });

    test('ends where half a change lies there when it reloads', async () => {
      const { before, after } = await strangers();
      const directory = layDirectory(before);
      const sentry = await startAuthority(program, directory);
      const reloaded = sentry.worksWith('the new issuer', []);
      writeFileSync(join(directory, bundleNames.issuerChain), after.issuerChain);
      await expect(reloaded).rejects.toThrow(mismatch);
      expect(sentry.whyExited()).toBe(mismatch);
    });
  });
}

function layDirectory(files: Partial<BundleFiles>): string {
  const directory = join(temporaryDirectory('traffic'), 'certs');
  mkdirSync(directory);
  for (const [part, bytes] of Object.entries(files) as [keyof BundleFiles, Buffer][]) {
    writeFileSync(join(directory, bundleNames[part]), bytes, { mode: 0o600 });
  }
  return directory;
}
