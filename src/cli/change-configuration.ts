import { assertLeavesEndBeforeIssuer } from '../app/configuration/assert-lifetime.ts';
import { changeConfiguration, writeConfiguration } from '../app/configuration/change.ts';
import { isReckonedWith, parseSetting } from '../app/configuration/document.ts';
import { describeUnchanged } from '../app/configuration/followers.ts';
import { type ConfigurationReport, describeConfiguration } from '../app/configuration/report.ts';
import { quotePosix } from '../app/shell-quote.ts';
import { DaprMtlsError } from '../errors.ts';
import type { Place } from '../store/directory/place.ts';
import { DirectoryReader } from '../store/directory/read.ts';
import { assertNotRotatingDirectory } from './assert-not-rotating.ts';
import { planConfigurationFile, readConfiguration } from './configuration-file.ts';
import { openForChange } from './open-for-change.ts';
import { chooseStore } from './open-store.ts';
import type { ChangeFlags } from './site.ts';
import type { Streams } from './streams.ts';

/** The Configuration of the store: a file beside a directory, an object in a cluster. */
export async function viewConfiguration(
  flags: Omit<ChangeFlags, 'settle'>,
  env: NodeJS.ProcessEnv,
): Promise<ConfigurationReport> {
  const choice = chooseStore(flags, env, 'read');
  if (choice.kind === 'directory') {
    const { path, text } = readConfiguration(choice.place, flags.config);
    return describeConfiguration(path, text, '');
  }
  const { viewInCluster } = await import('./cluster-configuration.ts');
  return viewInCluster(flags, env);
}

export interface SettingFlags extends ChangeFlags {
  readonly restart: boolean;
  /** Of the restart, in seconds. */
  readonly timeout: number;
  readonly quiet: boolean;
}

/**
 * Judges the settings together, writes them, says what has to be restarted, and with `--restart` does it.
 * @param assignments as typed: NAME=VALUE
 */
export async function changeSettings(
  assignments: readonly string[],
  flags: SettingFlags,
  env: NodeJS.ProcessEnv,
  streams: Streams,
  now: () => Date,
): Promise<ConfigurationReport> {
  const choice = chooseStore(flags, env, 'change');
  const settings = assignments.map(parseSetting);
  if (choice.kind === 'cluster') {
    const { changeInCluster } = await import('./cluster-configuration.ts');
    return changeInCluster(settings, flags, { env, streams, now });
  }
  const { place } = choice;
  if (settings.some(isReckonedWith)) await assertNotRotatingDirectory(place);
  assertNoRestart(flags);
  const { path, text } = readConfiguration(place, flags.config);
  const wayToStore = wayTo(place, flags);
  const changed = changeConfiguration(path, text, settings, wayToStore);
  if (settings.some(({ name }) => name === 'workloadCertTTL')) {
    const { files } = await new DirectoryReader(place).read();
    assertLeavesEndBeforeIssuer(changed.settings, files.issuerChain, now(), wayToStore);
  }
  if (!changed.isChanged) {
    streams.note(`${describeUnchanged(path)}\n`);
    return describeConfiguration(path, text, '');
  }
  const file = planConfigurationFile(path, text, changed.text);
  const report = await writeConfiguration(openForChange(place, flags.settle, streams), file);
  streams.note(`Written: ${report.path}. Restart Sentry: it reads its Configuration only when it starts.\n`);
  return report;
}

/** What leads another command to the same directory and the same Configuration. */
function wayTo({ givenPath }: Place, { config }: Pick<ChangeFlags, 'config'>): string {
  return ` --dir ${quotePosix(givenPath)}${config === undefined ? '' : ` --config ${quotePosix(config)}`}`;
}

/** @throws DaprMtlsError `usage.invalid` */
function assertNoRestart({ restart }: SettingFlags): void {
  if (!restart) return;
  throw new DaprMtlsError('usage.invalid', {
    message: '--restart is for the Configuration of a cluster (-k)',
    hint: 'Leave it out, and start Sentry again yourself: it is not ours to restart.',
  });
}
