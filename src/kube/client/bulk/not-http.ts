/** What is no HTTP, by the codes that Node's own parser has for it. */
export function notHttp(code: `HPE_${string}`): NodeJS.ErrnoException {
  return Object.assign(new Error(`not as HTTP has it (${code})`), { code });
}
