/**
 * Everything the judges can find, in one table; docs/findings.md is made from it.
 * error: Sentry exits or replaces the bundle, or calls fail. warning: that is how it will end, or
 * a promise is broken. info: worth knowing before the next change.
 */
export const findingTable = {
  'bundle.missing': [
    'error',
    'A file of the bundle is missing or empty. A starting Sentry makes all three anew, and every sidecar is cut off.',
  ],
  'sentry.refuses': ['error', 'A starting Sentry exits on this bundle, for a reason that no other rule explains.'],
  'pem.unreadable': ['error', 'A PEM file is damaged: what stands behind the damage is lost to Sentry without a word.'],
  'pem.odd': ['warning', 'A PEM file has something odd in it that Go passes over today.'],
  'pem.foreign-block': [
    'warning',
    'A certificate file holds a block that is no certificate. Sentry and daprd stop reading there.',
  ],
  'pem.hidden-certificate': ['error', 'A certificate stands where Sentry and daprd do not see it.'],
  'pem.private-key': ['error', 'A private key stands in a file of certificates, which is handed to every sidecar.'],
  'certificate.unreadable': [
    'error',
    'A CERTIFICATE block holds something that is not a readable certificate. Sentry exits on it.',
  ],
  'anchor.not-self-signed': [
    'error',
    'A trust anchor is not self-signed. Sentry exits on it; a cross-certificate belongs into the issuer chain.',
  ],
  'anchor.duplicate': ['info', 'The same trust anchor stands there twice.'],
  'anchor.expired': ['info', 'A trust anchor that does not carry the issuer in use has expired. It can be dropped.'],
  'anchor.expires-soon': [
    'warning',
    'A trust anchor that a bridge still serves expires soon: who holds only it must be restarted before.',
  ],
  'bridge.ended': ['warning', 'A bridge has ended before the anchor it served: who holds only that anchor is cut off.'],
  'root.expired': ['error', 'The root has expired: nothing verifies any more.'],
  'root.not-yet-valid': ['error', 'The root is not valid yet.'],
  'root.expires-soon': ['warning', 'The root expires soon.'],
  'issuer.expired': ['error', 'The issuer has expired: Sentry exits and calls fail.'],
  'issuer.not-yet-valid': ['error', 'The issuer is not valid yet.'],
  'issuer.expires-soon': ['warning', 'The issuer expires soon.'],
  'issuer.outlives-root': ['warning', 'The issuer is dated beyond the root that signed it. The root decides.'],
  'issuer.is-root': ['error', 'The issuer certificate is self-signed: Sentry strips it from the chain and exits.'],
  'issuer.order': [
    'error',
    'The issuer chain is not in order, each certificate signed by the next. Sentry exits on it.',
  ],
  'issuer.not-authority': [
    'error',
    'The issuer is not a certificate authority. Sentry may take it; every sidecar hangs.',
  ],
  'issuer.unknown-authority': ['error', 'No trust anchor carries the issuer.'],
  'issuer.path-length': [
    'error',
    'A path length leaves no room for the chain below it. Sentry takes it, Go clients do not.',
  ],
  'issuer.no-dns-name': ['info', 'The issuer bears no DNS name; clients of Dapr up to 1.13 verify it.'],
  'issuer.bars-bridge': [
    'info',
    'A path length leaves no room for a bridge: a new root will need the staged rotation.',
  ],
  'chain.useless': ['info', 'The issuer chain carries expired certificates that help nobody any more.'],
  'key.not-first': ['error', 'The issuer key is not the first block of its file. Sentry reads the first one only.'],
  'key.unreadable': ['error', 'The issuer key cannot be read.'],
  'key.encrypted': ['error', 'The issuer key is encrypted. Sentry cannot ask for a passphrase.'],
  'key.mismatch': ['error', 'The issuer key does not belong to the issuer certificate.'],
  'key.type': ['warning', 'The type of the issuer key is not taken by every version of Dapr.'],
  'leaf.does-not-verify': ['error', 'A certificate that this issuer signs for a sidecar would not verify.'],
  'leaf.outlives-issuer': ['warning', 'Leaves signed now live longer than the issuer: Sentry does not clamp them.'],
  'leaf.skew': ['error', 'allowedClockSkew is not below workloadCertTTL: daprd renews in a hot loop.'],
  'leaf.short-lifetime': ['warning', 'workloadCertTTL is so short that a small clock error ends every call.'],
  'validator.built-in': ['error', 'A validator that is built in is configured by hand. Sentry exits when it starts.'],
  'validator.unknown': ['error', 'A token validator that Sentry does not know. It exits when it starts.'],
  'validator.no-source': ['error', 'A token validator names no source of keys: nobody can join by it.'],
  'validator.plain-http': ['warning', 'The keys of a token validator are fetched without TLS.'],
  'validator.external-clients': ['info', 'Clients join with tokens of their own: no audit sees them.'],
  'store.interrupted': [
    'error',
    'A change was interrupted. What is shown is what it leads to; the next changing command finishes it.',
  ],
  'store.changing': ['info', 'Another run is changing the store right now.'],
  'store.key-readable': ['warning', 'The issuer key can be read by others than its owner.'],
  'store.root-key-beside': ['warning', 'A key that belongs to a trust anchor lies in the directory that Sentry reads.'],
  'store.config-inside': [
    'warning',
    'A Configuration lies in the watched directory: each change of it makes Sentry reload for nothing.',
  ],
  'cluster.bundle-mismatch': [
    'error',
    'Secret and ConfigMap hold different anchors. The next Sentry that starts makes a new root, and every sidecar is cut off.',
  ],
  'cluster.bundle-empty': [
    'error',
    'The Secret or the ConfigMap stands there without its data. The next Sentry that starts makes a new root.',
  ],
  'cluster.secret-missing': ['error', 'The Secret is missing: no Sentry starts until it is there.'],
  'cluster.configmap-missing': ['error', 'The ConfigMap is missing: no Sentry starts until it is there.'],
  'cluster.immutable': ['warning', 'An object is immutable: neither Sentry nor a renewal can change the bundle.'],
  'cluster.unread': [
    'info',
    'A part of the control plane was not read, for want of a right or of a flag: not every rule could be applied.',
  ],
  'owner.reverts': [
    'warning',
    'Somebody else declares another bundle than the one that is live, and will put it back.',
  ],
  'owner.helm-values': ['info', 'A Helm release holds the bundle in its values, the issuer key in clear.'],
  'owner.helm-force': ['info', 'A Helm release stores no bundle: `helm upgrade --force` deletes the live one.'],
  'owner.declares': ['info', 'Somebody else declares the bundle, and writes it again where it is changed.'],
  'owner.not-checked': ['info', 'Whether somebody else keeps the bundle could not be read.'],
  'config.unreadable': ['warning', 'The Configuration cannot be read.'],
} as const satisfies Record<string, readonly [Severity, string]>;

export type Severity = 'error' | 'warning' | 'info';
export type FindingCode = keyof typeof findingTable;

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What it is about: a file with its line, or a certificate. */
  readonly subject: string;
  readonly message: string;
  /** The mend: a command or a field to change. */
  readonly hint: string;
}

export interface FindingDetails {
  readonly subject: string;
  readonly message: string;
  readonly hint: string;
  /** Where the circumstances make it worse or lighter than the table says. */
  readonly severity?: Severity;
}

export function finding(code: FindingCode, { subject, message, hint, severity }: FindingDetails): Finding {
  return { code, severity: severity ?? findingTable[code][0], subject, message, hint };
}
