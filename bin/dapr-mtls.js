#!/usr/bin/env node
// CommonJS, as the bundles are (see docs/architecture.md): starting Node's ESM loader costs more than
// the quick commands do.
const { join } = require('node:path');
const { loadBundle } = require('../dist/load-bundle.cjs');

const { main } = loadBundle('./main.cjs');
// All has been written by then, and the system takes the memory back faster than Node takes it apart.
process.once('exit', () => process.exit());
main('dapr-mtls', process.argv.slice(2), join(__dirname, '..'));
