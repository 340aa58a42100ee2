import { createRequire } from 'node:module';

/**
 * What only a few runs need of Node itself: child_process brings sockets along, fs/promises the line editor, and
 * each costs 2 to 4 ms. An esbuild plugin has them loaded when something of them is first used.
 */
const late = ['child_process', 'dns', 'fs/promises', 'readline'];

export function lateBuiltins() {
  const namespace = 'late-builtin';
  return {
    name: 'late-builtins',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(node:)?(${late.join('|')})$`) }, ({ path, namespace: from }) =>
        from === namespace ? { path, external: true } : { path, namespace },
      );
      build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: getters(path), loader: 'js' }));
    },
  };
}

function getters(builtin) {
  const names = Object.keys(createRequire(import.meta.url)(builtin)).filter((name) => name !== 'default');
  return `module.exports = {
${names.map((name) => `get ${name}() { return require("${builtin}").${name}; },`).join('\n')}
};`;
}
