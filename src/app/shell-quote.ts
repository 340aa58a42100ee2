/** Quotes a word for a POSIX shell where it needs to be. */
export function quotePosix(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
