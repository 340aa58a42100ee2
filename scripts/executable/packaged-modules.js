import { posix } from 'node:path';
import { Script } from 'node:vm';

/**
 * `require` for the files of the package where they lie in no folder.
 * @param files {read(name): source, readCodeCache?(name): Buffer}; names are paths in the package, `dist/main.cjs`
 * @param filename what every module is told as its own: the executable
 * @param requireBuiltin for the modules of Node itself
 * @returns load(name), which gives what the file exports, and the scripts that were compiled, by name
 */
export function openPackagedModules(files, filename, requireBuiltin) {
  const modules = new Map();
  const scripts = new Map();
  const load = (name) => {
    const known = modules.get(name);
    if (known) return known.exports;
    const module = { exports: {} };
    modules.set(name, module);
    const script = compile(name, files);
    scripts.set(name, script);
    const requireFrom = (id) => (id.startsWith('.') ? load(posix.join(posix.dirname(name), id)) : requireBuiltin(id));
    script.runInThisContext()(module.exports, requireFrom, module, filename, posix.dirname(filename));
    return module.exports;
  };
  return { load, scripts };
}

/** Wrapped as Node does it. V8 itself refuses a code cache that is not of this source and of this V8. */
function compile(name, { read, readCodeCache }) {
  const source = read(name).replace(/^#!.*/, '');
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: name,
    cachedData: readCodeCache?.(name),
  });
  if (script.cachedDataRejected && process.env.DAPR_MTLS_DEBUG) {
    process.emitWarning(`the code cache of ${name} is not of this Node`);
  }
  return script;
}
