// Preloaded with --require: writes at exit what a run has loaded and used to the file that LOADED_LIST names.
const { writeFileSync } = require('node:fs');
const { basename, dirname } = require('node:path');

const before = new Set(process.moduleLoadList);
const used = new Set();
const watch = (object, name) => {
  const { value } = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, {
    value(...words) {
      used.add(name);
      return value.apply(this, words);
    },
  });
};
watch(String.prototype, 'localeCompare');
for (const type of [Date, Number, Array, BigInt]) watch(type.prototype, 'toLocaleString');
for (const name of ['toLocaleDateString', 'toLocaleTimeString']) watch(Date.prototype, name);
for (const name of ['Intl', 'fetch']) {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      used.add(name);
      return descriptor.get ? descriptor.get.call(globalThis) : descriptor.value;
    },
  });
}

process.once('exit', () => {
  const builtins = process.moduleLoadList
    .filter((name) => !before.has(name) && name.startsWith('NativeModule '))
    .map((name) => name.slice('NativeModule '.length))
    .filter((name) => !name.startsWith('internal/') && !name.startsWith('_'));
  const bundles = Object.keys(require.cache)
    .filter((path) => basename(dirname(path)) === 'dist')
    .map((path) => basename(path, '.cjs'));
  writeFileSync(process.env.LOADED_LIST, JSON.stringify({ builtins, bundles, used: [...used] }));
});
