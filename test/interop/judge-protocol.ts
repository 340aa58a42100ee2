/**
 * What can be asked of `judge/` and `lint/`, and what they answer. Bytes are handed over as they
 * are; moments as Date, and a moment left out means now.
 *
 * `ok: false` is always a verdict on the material: a request that the judge does not understand
 * throws instead, so that no test of a refusal passes by a spelling mistake.
 */
interface JudgeOps {
  /** crypto/x509: does the chain (leaf first, a CA will do) lead to one of the anchors? */
  verify: {
    request: {
      readonly chain: string;
      readonly anchors: string;
      /** Each must pass alone. None: extended key usages are not looked at. */
      readonly usages?: readonly ('server' | 'client')[];
      readonly at?: Date;
    };
    answer: Accepted | Refused;
  };
  /** crypto/x509: what it reads in one certificate. */
  parse: {
    request: { readonly der: Uint8Array };
    answer: Accepted<{ readonly certificate: ParsedCertificate }> | Refused;
  };
  /** encoding/pem: the blocks of a file, and how many certificates Dapr takes from it (none: refused). */
  pem: {
    request: { readonly text: Uint8Array };
    answer: (Accepted | Refused) & {
      readonly blocks: readonly { readonly type: string; readonly sha256: string; readonly headers: boolean }[];
      /** Bytes after the last block that could be read. */
      readonly rest: number;
      readonly sentryCertificates: number;
    };
  };
  /** Sentry: would it start on these files and keep them? `null` is a file that is not there. */
  sentry: {
    request: {
      readonly ca: Uint8Array | null;
      readonly issuer: Uint8Array | null;
      readonly key: Uint8Array | null;
      /** The ConfigMap's `ca.crt`; left out for a directory. */
      readonly configMapCa?: Uint8Array;
      readonly at?: Date;
    };
    /** Refused with `regenerates`: Sentry starts, on a new root of its own making. */
    answer:
      | Accepted<{ readonly anchors: number; readonly chain: number }>
      | (Refused & { readonly regenerates?: true });
  };
  /** Sentry: sign a sidecar's certificate. */
  leaf: {
    request: {
      readonly issuerChain: string;
      readonly issuerKey: string;
      readonly id_spiffe: string;
      readonly ttlSeconds: number;
      readonly skewSeconds: number;
      readonly dnsNames?: readonly string[];
      /** The sidecar's own; ed25519 if left out, as in Dapr 1.18. */
      readonly keyType?: KeyType;
      readonly at?: Date;
    };
    answer: Accepted<{ readonly chain: string; readonly key: string }> | Refused;
  };
  /** Sentry: the root and issuer that it makes where it finds none. */
  bundle: {
    request: {
      readonly trustDomain: string;
      /** Sentry's own; `default` if left out. */
      readonly namespace?: string;
      /** A year if left out. */
      readonly ttlSeconds?: number;
      readonly skewSeconds?: number;
      /** ed25519 if left out, as in Dapr 1.18; ecdsa-p256 before. */
      readonly keyType?: KeyType;
      readonly at?: Date;
    };
    answer:
      | Accepted<{
          readonly ca: string;
          readonly issuer: string;
          readonly key: string;
          /** Sentry throws it away. */
          readonly rootKey: string;
        }>
      | Refused;
  };
  /** crypto/tls and go-spiffe's rules: mutual TLS 1.3 between two sidecars. */
  handshake: {
    request: { readonly server: Peer; readonly client: Peer; readonly at?: Date };
    /** `error` is that of the side which refused; the other one ends with a "remote error". */
    answer: Accepted | (Refused & { readonly serverError?: string; readonly clientError?: string });
  };
  /** Sentry: read a private key (the first PEM block only). */
  key: {
    request: { readonly pem: Uint8Array };
    /** `type` is as in `ECDSA P-256`, `RSA 2048`, `Ed25519`. */
    answer: Accepted<{ readonly type: string; readonly spkiSha256: string }> | Refused;
  };
}

export type JudgeRequest = { [Op in keyof JudgeOps]: { readonly op: Op } & JudgeOps[Op]['request'] }[keyof JudgeOps];

/** The answers to a list of requests, place by place. */
export type JudgeAnswers<Requests extends readonly JudgeRequest[]> = {
  -readonly [Place in keyof Requests]: JudgeOps[Requests[Place]['op']]['answer'];
};

export interface LintRequest {
  readonly der: Uint8Array;
}

/** zlint's findings of the source RFC 5280. Failures (status `error` or `fatal`) make a refusal. */
export type LintAnswer = (Accepted | Refused) & {
  readonly failures: readonly LintFinding[];
  readonly warnings: readonly LintFinding[];
};

interface LintFinding {
  readonly lint: string;
  readonly status: 'warn' | 'error' | 'fatal';
  readonly description: string;
  readonly citation: string;
  readonly details?: string;
}

type Accepted<Details = unknown> = { readonly ok: true } & Details;

interface Refused {
  readonly ok: false;
  readonly error: string;
}

type KeyType = 'ed25519' | 'ecdsa-p256' | 'rsa-2048';

interface Peer {
  readonly chain: string;
  readonly key: string;
  readonly anchors: string;
  /** The SPIFFE ID that the other side must have. Dapr's clients expect one, its servers take any. */
  readonly expect?: string;
}

/** Bytes are lowercase hex, moments RFC 3339 in UTC; what is not there is empty. */
interface ParsedCertificate {
  readonly sha256: string;
  readonly serial: string;
  readonly rawSubject: string;
  readonly rawIssuer: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly ski: string;
  readonly aki: string;
  readonly basicConstraintsValid: boolean;
  readonly isCA: boolean;
  /** -1 is no limit. */
  readonly maxPathLen: number;
  /** RFC 5280's names, in its order. */
  readonly keyUsage: readonly string[];
  /** RFC 5280's names; what Go does not know as dotted OIDs. */
  readonly extKeyUsage: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly publicKeyAlgorithm: string;
  readonly signatureAlgorithm: string;
  readonly spkiSha256: string;
  /** OIDs for which crypto/x509 refuses to verify. */
  readonly unhandledCritical: readonly string[];
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean }[];
}
