import { changeConfiguration, writeConfiguration } from '../app/configuration/change.ts';
import { isReckonedWith, parseSetting } from '../app/configuration/document.ts';
import { type ConfigurationReport, describeConfiguration } from '../app/configuration/report.ts';
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
    return describeConfiguration(path, text);
  }
  const { viewInCluster } = await import('./cluster-configuration.ts');
  return viewInCluster(flags, env);
}

/** @param assignments as typed: NAME=VALUE */
export async function changeSettings(
  assignments: readonly string[],
  flags: ChangeFlags,
  env: NodeJS.ProcessEnv,
  streams: Streams,
): Promise<ConfigurationReport> {
  const choice = chooseStore(flags, env, 'change');
  const settings = assignments.map(parseSetting);
  if (choice.kind === 'cluster') {
    const { changeInCluster } = await import('./cluster-configuration.ts');
    return changeInCluster(settings, flags, env, streams);
  }
  const { place } = choice;
  if (settings.some(isReckonedWith)) await assertNotRotatingDirectory(place);
  const { path, text } = readConfiguration(place, flags.config);
  const file = planConfigurationFile(path, text, changeConfiguration(path, text, settings));
  return writeConfiguration(openForChange(place, flags.settle, streams), file);
}
