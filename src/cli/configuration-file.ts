import { dirname, join, resolve } from 'node:path';
import { defaultSettings, type MtlsSettings } from '../app/configuration/settings.ts';
import { DaprMtlsError } from '../errors.ts';
import { readIfExists } from '../store/directory/durable.ts';
import type { Place } from '../store/directory/place.ts';
import type { SideFile } from '../store/port.ts';

/**
 * `--config`, else `config.yaml` in the work directory: never inside the directory that Sentry
 * watches, where every change of it would make Sentry reload for nothing.
 */
function configurationPath(place: Place, flag: string | undefined): string {
  const path = flag === undefined ? join(place.workDirectory, 'config.yaml') : resolve(flag);
  if (dirname(path) !== place.directory) return path;
  throw new DaprMtlsError('usage.invalid', {
    message: `${path} lies in the directory that Sentry watches`,
    hint: 'Name a place outside of it with --config, or leave --config out.',
  });
}

export interface FoundSettings {
  readonly settings: MtlsSettings;
  readonly problem: string | undefined;
}

/** Sentry's defaults where there is no Configuration; a damaged one is a problem, not an error. */
export async function findSettings(place: Place, flag: string | undefined): Promise<FoundSettings> {
  const path = flag === undefined ? join(place.workDirectory, 'config.yaml') : resolve(flag);
  try {
    const content = readIfExists(path);
    if (content === undefined)
      return { settings: defaultSettings, problem: flag === undefined ? undefined : `${path} does not exist` };
    const { parseConfiguration, readSettings } = await import('../app/configuration/document.ts');
    return { settings: readSettings(parseConfiguration(content.toString('utf8'), path)), problem: undefined };
  } catch (error) {
    if (!(error instanceof DaprMtlsError)) throw error;
    return { settings: defaultSettings, problem: error.message };
  }
}

/** The text of the Configuration; undefined where there is none. */
export function readConfiguration(place: Place, flag: string | undefined): { path: string; text: string | undefined } {
  const path = configurationPath(place, flag);
  return { path, text: readIfExists(path)?.toString('utf8') };
}

export function planConfigurationFile(path: string, present: string | undefined, content: string): SideFile {
  return {
    path,
    content: Buffer.from(content),
    mode: 0o644,
    replaces: present === undefined ? undefined : Buffer.from(present),
  };
}
