import { readFileSync } from 'node:fs';

/**
 * oclif's Command drags in plugin discovery, templates, spinners, colours and a debug logger, none
 * of which is used at run time: the table of commands is known when this program is built, help is
 * rendered from the manifest, and errors are printed in one place of our own. An esbuild plugin
 * replaces them; the parser stays whole.
 */
export function leanOclif() {
  const unusedPackages =
    /node_modules\/(ejs|cli-spinners|tinyglobby|minimatch|semver|wsl-utils|wrap-ansi|clean-stack|indent-string|string-width|ansi-styles)\//;
  const unusedModules =
    /@oclif\/core\/lib\/(ux\/(action\/.*|index|colorize-json|supports-color|write|theme|list)|help\/(index|command|root|docopts|formatter|util)|config\/(index|ts-path|config|plugin-loader|plugin)|errors\/(handle|warn|errors\/pretty-print)|util\/read-tsconfig|module-loader|logger|screen)\.js$/;
  return {
    name: 'lean-oclif',
    setup(build) {
      build.onLoad({ filter: unusedPackages }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
      // The agents of proxies make a logger as soon as they are loaded.
      build.onLoad({ filter: /node_modules\/debug\// }, () => ({ contents: silentLogger, loader: 'js' }));
      // One for all of them: a copy in each would add 2 KB to every bundle.
      build.onLoad({ filter: unusedModules }, () => ({ contents: `module.exports = require('${standInName}');` }));
      build.onResolve({ filter: new RegExp(`^${standInName}$`) }, () => ({
        path: 'stand-in',
        namespace: 'lean-oclif',
      }));
      build.onLoad({ filter: /^stand-in$/, namespace: 'lean-oclif' }, () => ({ contents: standIn }));
      // Of all that is in it, a Command wants its own version.
      build.onLoad({ filter: /@oclif\/core\/package\.json$/ }, ({ path }) => {
        const { name, version } = JSON.parse(readFileSync(path, 'utf8'));
        return { contents: JSON.stringify({ name, version }), loader: 'json' };
      });
      build.onLoad({ filter: /@oclif\/core\/lib\/command\.js$/ }, ({ path }) => ({
        contents: leaveOutputAlone(readFileSync(path, 'utf8')),
        loader: 'js',
      }));
    },
  };
}

/** It listens to standard output as soon as it is loaded, for which Node makes a stream; ours is src/cli/outlet.ts. */
function leaveOutputAlone(source) {
  const listening = /^process\.stdout\.on\('error', [\s\S]*?^}\);$/m;
  if (!listening.test(source)) throw new Error("oclif's Command no longer listens to standard output as it did");
  return source.replace(listening, '');
}

const silentLogger = 'module.exports = () => () => {};';

const standInName = 'lean-oclif-stand-in';

/** The few functions of those modules that the parser's error messages call. */
const standIn = `
const list = (items) => items.map(([name, text]) => '  ' + name + (text ? '  ' + text : '')).join('\\n');
module.exports = {
  default: list,
  __esModule: true,
  makeDebug: () => () => {},
  getLogger: () => ({ debug() {} }),
  colorize: (colour, text) => text,
  ux: {},
  stdtermwidth: 80,
  errtermwidth: 80,
};`;
