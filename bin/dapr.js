#!/usr/bin/env node
const { realpathSync } = require('node:fs');
const { join } = require('node:path');

// Ours are `mtls`, `status` and `init -k`; every other word belongs to the official CLI, before anything is loaded.
const argv = process.argv.slice(2);
const isInCluster = (word) => /^(-[hqs]*k|--kubernetes(=|$))/.test(word) && !/=(0|f|false)$/i.test(word);
const isOurs = argv[0] === 'mtls' || argv[0] === 'status' || (argv[0] === 'init' && argv.some(isInCluster));
if (isOurs) {
  const { loadBundle } = require('../dist/load-bundle.cjs');
  const { main } = loadBundle('./main.cjs');
  // As in dapr-mtls.js.
  process.once('exit', () => process.exit());
  main('dapr', argv, join(__dirname, '..'));
} else {
  require('../dist/hand-over.cjs').handOver(argv, realpathSync(__filename));
}
