// Writes the parts of docs/ that say what the code says: errors, findings and commands.
// `--check` writes nothing and fails when one of them is stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** The tables of the source, loaded from a throw-away bundle. */
async function loadTables() {
  const outfile = 'node_modules/.cache/dapr-mtls-docs/tables.mjs';
  mkdirSync('node_modules/.cache/dapr-mtls-docs', { recursive: true });
  await build({
    stdin: {
      contents: `export { errorTable } from './src/errors.ts';
        export { knownLines } from './src/app/explain/known-lines.ts';
        export { findingTable } from './src/pki/rules/finding.ts';
        export { renderHelp, typedWords } from './src/cli/help.ts';`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'warning',
  });
  return import(`${pathToFileURL(outfile)}?${Date.now()}`);
}

const { errorTable, findingTable, knownLines, renderHelp, typedWords } = await loadTables();
const manifest = JSON.parse(readFileSync('oclif.manifest.json', 'utf8'));

const generated = '<!-- Made by `npm run docs` from the source; do not edit. -->';

const errors = Object.entries(errorTable)
  .sort(([, a], [, b]) => a.exit - b.exit)
  .map(([code, { exit, meaning }]) => `| \`${code}\` | ${exit} | ${meaning} |`);

const findings = Object.entries(findingTable).map(
  ([code, [severity, meaning]]) => `| \`${code}\` | ${severity} | ${meaning} |`,
);

const act = ({ text, command }) => (command === undefined ? `- ${text}.` : `- ${text}: \`${command}\``);
const logLines = knownLines.map(({ code, title, cause, checks, mends, example }) =>
  [
    `## ${title}`,
    `\`${code}\``,
    `\`\`\`text\n${example}\n\`\`\``,
    cause,
    `Check:\n\n${checks.map(act).join('\n')}`,
    ...(mends.length > 0 ? [`Mend:\n\n${mends.map(act).join('\n')}`] : []),
  ].join('\n\n'),
);

const commands = Object.keys(manifest.commands)
  .sort()
  .map((id) => {
    const words = id.replaceAll(':', ' ');
    return `## ${typedWords(id, 'dapr')}\n\n\`\`\`text\n${renderHelp(manifest, words, 'dapr-mtls', 100).trimEnd()}\n\`\`\``;
  });

const pages = {
  'docs/errors.md': `# Errors

${generated}

Every failure has a code, a message and a mend. Text goes to standard error; with \`--format json\` standard output holds one document of
kind \`Error\`. A run that a signal stopped exits with 128 and the signal's number; its code is \`interrupted\`.

| code | exit | meaning |
|---|---|---|
${errors.join('\n')}
`,
  'docs/findings.md': `# Findings

${generated}

What \`dapr-mtls check\` can find. error: Sentry exits or replaces the bundle, or calls fail. warning: it will come to that. info: worth
knowing before the next change. Circumstances, such as a known Dapr version, may make a finding graver or lighter than the table says.

| code | severity | meaning |
|---|---|---|
${findings.join('\n')}
`,
  'docs/log-lines.md': `# Lines of logs

${generated}

What the lines about trust mean that Sentry, the sidecars, the other services, the API server and Helm write: \`dapr-mtls explain "LINE"\`
says the same, and reads a whole log: \`kubectl logs POD -c daprd | dapr-mtls explain\`. In the commands STORE is \`-k\` or \`--dir DIR\`.

${logLines.join('\n\n')}
`,
  'docs/commands.md': `# Commands

${generated}

The help pages, as \`dapr-mtls COMMAND --help\` prints them. \`dapr mtls COMMAND\` is the same; \`status\` and \`init -k\` stand behind \`dapr\`
by themselves.

${commands.join('\n\n')}
`,
};

let stale = 0;
for (const [path, text] of Object.entries(pages)) {
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readOrEmpty(path) !== text) {
    stale += 1;
    console.error(`${path} is stale: run \`npm run docs\``);
  }
}
process.exitCode = stale > 0 ? 1 : 0;

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
