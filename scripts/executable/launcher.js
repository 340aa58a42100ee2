// The main script of the single executable, which holds the files of the package as they are.
import { basename } from 'node:path';
import { getAsset, getRawAsset } from 'node:sea';
import { openQuickOutlet } from '../../src/cli/outlet.ts';
import { openPackagedModules } from './packaged-modules.js';

/** What lies beside the program elsewhere, and whoever has the executable alone has to get at. */
const texts = { '--licenses': 'licenses', '--schema': 'schemas/dapr-mtls.v1.json' };

const name = basename(process.argv0).replace(/\.exe$/i, '') === 'dapr' ? 'dapr' : 'dapr-mtls';
const text = name === 'dapr-mtls' && process.argv.length === 3 ? texts[process.argv[2]] : undefined;
if (text) openQuickOutlet(1).write(getAsset(text, 'utf8'));
else {
  const files = {
    read: (file) => getAsset(file, 'utf8'),
    readCodeCache: (file) => (file.startsWith('dist/') ? Buffer.from(getRawAsset(`${file}.cache`)) : undefined),
  };
  openPackagedModules(files, process.execPath, require).load(`bin/${name}.js`);
}
