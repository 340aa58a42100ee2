/**
 * Where random tests start from: `DAPR_MTLS_TEST_SEED` to see a failure again, else another one in
 * each run. Its words stand in the names of the tests, so that a failure tells it.
 */
const given = process.env.DAPR_MTLS_TEST_SEED;
const value = given === undefined ? Date.now() & 0x7fffffff : Number(given);
if (!Number.isSafeInteger(value)) throw new Error(`DAPR_MTLS_TEST_SEED=${given} is not a whole number`);

export const randomSeed = { value, words: `DAPR_MTLS_TEST_SEED=${value}` };
