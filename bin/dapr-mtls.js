#!/usr/bin/env node
// CommonJS, as the bundle is (see docs/architecture.md): starting Node's ESM loader costs more than
// the quick commands do.
const { join } = require('node:path');
const { main } = require('../dist/main.cjs');

main('dapr-mtls', process.argv.slice(2), join(__dirname, '..'));
