#!/usr/bin/env node
const { realpathSync } = require('node:fs');
const { join } = require('node:path');

// Ours are `mtls` and `status`; every other word belongs to the official CLI, before anything is loaded.
const argv = process.argv.slice(2);
if (argv[0] === 'mtls' || argv[0] === 'status') require('../dist/main.cjs').main('dapr', argv, join(__dirname, '..'));
else require('../dist/hand-over.cjs').handOver(argv, realpathSync(__filename));
