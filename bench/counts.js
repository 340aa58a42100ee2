import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { clean } from './environment.js';

/** How many pods hold which anchors, by JSON.parse of the whole list: every pod an object. */
export async function countByJsonParse({ url, ca, cert, key }) {
  const login = { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) };
  const response = await new Promise((resolve, reject) => {
    get(new URL('/api/v1/pods?labelSelector=dapr.io%2Fsidecar-injected%3Dtrue', url), login, resolve).once(
      'error',
      reject,
    );
  });
  const { items } = JSON.parse(await text(response));
  const tally = new Map();
  for (const { spec } of items) {
    const { env } = spec.containers.find(({ name }) => name === 'daprd');
    const anchors = env.find(({ name }) => name === 'DAPR_TRUST_ANCHORS').value;
    const prints = anchors
      .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
      .map((pem) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex'))
      .join(' ');
    tally.set(prints, (tally.get(prints) ?? 0) + 1);
  }
  return JSON.stringify([...tally].sort());
}

/** The same by `mtls audit --format json`. */
export function countByAudit([file, ...words]) {
  const document = execFileSync(file, words, { env: clean, maxBuffer: 256 * 1024 * 1024, stdio: 'pipe' });
  const { anchorSets } = JSON.parse(document);
  return JSON.stringify(anchorSets.map(({ anchors, sidecars }) => [anchors.join(' '), sidecars]).sort());
}
