/** What is advised is quoted there, too. */
export { quotePosix } from '../app/shell-quote.ts';
