import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { fillCodeCache, isCodeCacheWanted, openCodeCache } from './code-cache.ts';

declare const DAPR_MTLS_BUILD: string;

// In the single executable, which has its code with it, every module is told the executable as its file.
const isOwnLoader = __filename !== process.execPath && isCodeCacheWanted(process.env);
const cache = isOwnLoader ? openCodeCache(DAPR_MTLS_BUILD, process.env) : undefined;
const loaded = new Map<string, { exports: unknown }>();
/** What was compiled in this run: the cache did not have it, or V8 did not take it. */
const compiled = new Map<string, Script>();

const head = Buffer.from('(function (exports, require, module, __filename, __dirname) {');
const tail = Buffer.from('\n})');

/**
 * `require` for the bundles, which lie beside this file, with V8's code of an earlier run. Node's own compile cache
 * holds only what is compiled at load, and most functions are compiled when they are first called.
 */
export function loadBundle(id: string): unknown {
  if (!isOwnLoader || !id.startsWith('./')) return require(id);
  const known = loaded.get(id);
  if (known) return known.exports;
  const module = { exports: {} };
  loaded.set(id, module);
  const filename = join(__dirname, id);
  const cachedData = cache?.read(id);
  const script = new Script(readWrapped(filename), { filename, ...(cachedData && { cachedData }) });
  if (!cachedData || script.cachedDataRejected) compiled.set(id, script);
  script.runInThisContext()(module.exports, loadBundle, module, filename, __dirname);
  return module.exports;
}

/** The bundle as a function of what a module is given, put together in bytes: as texts, two would be on the heap. */
function readWrapped(path: string): string {
  return Buffer.concat([head, readFileSync(path), tail]).toString();
}

// Now it has all the functions that were called.
process.once('exit', () => {
  if (compiled.size > 0) fillCodeCache(DAPR_MTLS_BUILD, process.env, compiled);
});
