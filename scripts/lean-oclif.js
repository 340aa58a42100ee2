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
    /@oclif\/core\/lib\/(ux\/(action\/.*|index|colorize-json|supports-color|write|theme|list)|help\/(index|command|root|docopts|formatter|util)|config\/(index|ts-path|config|plugin-loader|plugin)|errors\/(handle|warn|errors\/pretty-print)|util\/read-tsconfig|module-loader|logger)\.js$/;
  return {
    name: 'lean-oclif',
    setup(build) {
      build.onLoad({ filter: unusedPackages }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
      // The agents of proxies make a logger as soon as they are loaded.
      build.onLoad({ filter: /node_modules\/debug\// }, () => ({ contents: silentLogger, loader: 'js' }));
      build.onLoad({ filter: unusedModules }, () => ({ contents: standIn, loader: 'js' }));
    },
  };
}

const silentLogger = 'module.exports = () => () => {};';

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
};`;
