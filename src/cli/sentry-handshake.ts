import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import type { HandshakeFacts } from '../app/probe/facts.ts';
import type { SentryAddress } from './sentry-address.ts';

/**
 * Shakes hands once, as a client that trusts anybody: who verifies is the judge of chains that follows
 * Go's rules, not OpenSSL. Sentry asks for no client certificate.
 */
export function shakeHands({ host, port, isNamed }: SentryAddress, timeoutMs: number): Promise<HandshakeFacts> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      // Dapr speaks gRPC, and its server ends a handshake without a protocol that it knows.
      ALPNProtocols: ['h2'],
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const timer = setTimeout(() => fail('TIMEOUT', `no answer within ${timeoutMs / 1000} s`), timeoutMs);
    const end = (handshake: HandshakeFacts) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(handshake);
    };
    const fail = (code: string, reason: string) => end({ kind: 'unreachable', address, isNamed, code, reason });
    socket.once('secureConnect', () =>
      end({ kind: 'answered', address, chain: chainOf(socket.getPeerCertificate(true)) }),
    );
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'ERROR', error.message));
    socket.once('close', () => fail('CLOSED', 'the connection was closed in the middle of the handshake'));
  });
}

/** Node links each certificate to the one that issued it; a self-signed one to itself. */
function chainOf(leaf: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = [];
  const seen = new Set<string>();
  for (let link: DetailedPeerCertificate | undefined = leaf; link?.raw && !seen.has(link.fingerprint256); ) {
    seen.add(link.fingerprint256);
    chain.push(link.raw);
    link = link.issuerCertificate;
  }
  return chain;
}
