/**
 * What a command asks of oclif's Config, without loading one: discovering plugins on every start
 * costs more than most commands do. The build makes the manifest from the real one.
 */
export type LeanConfig = ReturnType<typeof leanConfig>;

export function leanConfig(program: string, version: string, home: string) {
  return {
    bin: program,
    version,
    home,
    userAgent: `dapr-mtls/${version}`,
    topicSeparator: ' ',
    commandIDs: [],
    runHook: async () => ({ successes: [], failures: [] }),
    scopedEnvVar: () => undefined,
    scopedEnvVarKey: (key: string) => `DAPR_MTLS_${key}`,
    scopedEnvVarKeys: () => [],
  };
}
