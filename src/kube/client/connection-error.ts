import { DaprMtlsError, type ErrorCode } from '../../errors.ts';
import type { Access } from '../kubeconfig/access.ts';
import type { Broken } from './answer.ts';
import type { ApiFailure } from './failure.ts';

/** Where a request was to go, for the words of an error. */
export interface Destination {
  readonly server: string;
  readonly host: string;
  readonly timeoutMs: number;
  /** `host:port` of the proxy on the way, if there is one. */
  readonly proxy?: string | undefined;
}

/** @param timeoutMs how long the server was waited for */
export function destinationOf({ address, url, proxyUrl }: Access, timeoutMs: number): Destination {
  return { server: address.server, host: url.hostname, timeoutMs, proxy: proxyUrl?.host };
}

/** @param outcomeUnknown of a write that the server may have carried out */
export function connectionError(broken: Broken, to: Destination, outcomeUnknown: boolean): DaprMtlsError {
  const { code, message: what, hint } = explain(broken, to);
  const message = to.proxy === undefined ? what : `${what} (through the proxy ${to.proxy})`;
  const cause: ApiFailure = { status: 0, reason: broken.code, fields: [], outcomeUnknown };
  return new DaprMtlsError(code, {
    message: outcomeUnknown ? `${message}; whether it was carried out is not known` : message,
    hint: outcomeUnknown ? `Look at the object before you try again. ${hint}` : hint,
    cause,
  });
}

interface Explanation {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

const unreachable = (message: string, hint: string): Explanation => ({ code: 'cluster.unreachable', message, hint });
const untrusted = (message: string, hint: string): Explanation => ({ code: 'cluster.untrusted', message, hint });
const rejected = (message: string, hint: string): Explanation => ({ code: 'cluster.rejected', message, hint });

const askKubectl = 'See whether kubectl gets through: kubectl get --raw /readyz';
const compareCa =
  "Compare certificate-authority-data with the cluster's CA (in a cluster: ConfigMap kube-root-ca.crt), and see who stands between: a proxy may bring a certificate of its own.";

function explain({ code, cause, sent }: Broken, { server, host, timeoutMs }: Destination): Explanation {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return unreachable(
        `the host ${host} of the API server ${server} is not known (${code})`,
        'Check the name in the kubeconfig, the DNS, and whether a VPN is needed.',
      );
    case 'ECONNREFUSED':
      return unreachable(
        `nothing listens at the API server's address ${server} (connection refused)`,
        'See whether the cluster runs, and whether the port in the kubeconfig is right.',
      );
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return unreachable(
        sent ? `the API server ${server} broke the connection off` : `the API server ${server} hung up at once`,
        askKubectl,
      );
    case 'CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'EADDRNOTAVAIL':
      return unreachable(
        `no connection to the API server ${server} could be made (${code === 'CONNECT_TIMEOUT' ? 'timed out' : code})`,
        'See whether a VPN, a proxy or a firewall rule is missing.',
      );
    case 'TIMEOUT':
      return unreachable(
        `the API server ${server} did not answer within ${timeoutMs / 1000} s`,
        'Try again, or give it longer: --request-timeout 60',
      );
    case 'ABORTED':
      return unreachable(`the request to ${server} was given up`, 'Run the command again.');
    case 'TOO_LARGE':
      return rejected(
        `the API server ${server} answered with more than this program reads`,
        'See what stands at that address: kubectl get --raw /version',
      );
    case 'CERT_HAS_EXPIRED':
      return untrusted(
        `the certificate of the API server ${server} has expired`,
        'It has to be renewed on the control plane (kubeadm: `kubeadm certs renew apiserver`); see also whether the clock here is right.',
      );
    case 'CERT_NOT_YET_VALID':
      return untrusted(
        `the certificate of the API server ${server} is not valid yet`,
        'See whether the clock here is right.',
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return untrusted(
        `the certificate of the API server ${server} is not made out to ${host}`,
        'Use a name that stands in it as server, or set tls-server-name: kubectl config set-cluster NAME --tls-server-name=NAME',
      );
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return isPlainAnswer(cause)
        ? unreachable(
            `what listens at ${server} does not speak TLS`,
            'Check the port; where plain HTTP is meant (kubectl proxy), write http:// in the kubeconfig.',
          )
        : refusedHandshake(server, cause);
  }
  if (certificateCodes.has(code)) {
    return untrusted(
      `the certificate of the API server ${server} does not verify under the kubeconfig's CA (${code})`,
      compareCa,
    );
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) return refusedHandshake(server, cause);
  if (code.startsWith('HPE_')) {
    return rejected(`what listens at ${server} does not speak HTTP (${code})`, 'Check the address in the kubeconfig.');
  }
  return unreachable(`the API server ${server} cannot be reached (${code})`, askKubectl);
}

function isPlainAnswer(cause: Error): boolean {
  return /wrong.version.number|packet.length.too.long|http.request|unexpected.message/i.test(cause.message);
}

/** An alert of TLS: the server closed because of what we are, most often a client certificate that it does not know. */
function refusedHandshake(server: string, cause: Error): Explanation {
  const alert = /alert ([a-z ]+?):/.exec(cause.message)?.[1] ?? (cause as NodeJS.ErrnoException).code;
  return {
    code: 'cluster.credentials',
    message: `the API server ${server} ended the TLS handshake (${alert})`,
    hint: 'Most often it does not take the client certificate: get a new kubeconfig from your cluster.',
  };
}

/** Verification as OpenSSL names its failures. */
const certificateCodes = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
]);
