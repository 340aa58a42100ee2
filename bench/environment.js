import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Nothing of the machine's own: what a shell has set costs time in some programs and not in others. */
export const clean = { PATH: process.env.PATH, HOME: tmpdir() };

const usualRoots = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
const roots = [process.env.NODE_EXTRA_CA_CERTS, ...usualRoots].find((path) => path && existsSync(path));

/** As behind a company's proxy: a file of a hundred and more roots. Undefined where there is none. */
export const withExtraRoots = roots && { ...clean, NODE_EXTRA_CA_CERTS: roots };
