// The least that a GET of the trust bundle can cost on this Node: one request over node:https with a
// client certificate, and nothing made of the answer. Its words: server, CA, certificate, key, path.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const [server, ca, cert, key, path] = process.argv.slice(2);
request(new URL(path, server), { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) }, (answer) => {
  let text = '';
  answer.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  answer.on('end', () => process.stdout.write(`${Object.keys(JSON.parse(text).data).join(' ')}\n`));
}).end();
