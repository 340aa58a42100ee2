/**
 * One way to see, or to mend, what a line tells of. `STORE` in a command stands for `-k` or `--dir DIR`,
 * `DIR` for the directory.
 */
export interface Act {
  readonly text: string;
  readonly command?: string;
}

export interface KnownLine {
  readonly code: string;
  /** What the line means, in a few words. */
  readonly title: string;
  /** Looked for in the message of the line, not in its time or level. */
  readonly pattern: RegExp;
  /** The line means something only where none like this comes after it. */
  readonly unlessFollowedBy?: RegExp;
  /** The line means something only when it is written this often. */
  readonly atLeast?: number;
  readonly cause: string;
  readonly checks: readonly Act[];
  readonly mends: readonly Act[];
  /** As Dapr, Go, Kubernetes or Helm write it. */
  readonly example: string;
}

const judge: Act = { text: 'Judge the bundle as Sentry and its clients do', command: 'dapr-mtls check STORE' };
const ends: Act = { text: 'See when each certificate ends', command: 'dapr-mtls expiry STORE' };
const stale: Act = { text: 'See which sidecars hold which anchors', command: 'dapr-mtls audit -k' };
const probe: Act = { text: 'See what the next pod would get', command: 'dapr-mtls probe -k' };
const services: Act = { text: 'See whether the control plane is well', command: 'dapr-mtls status -k' };
const restore: Act = { text: 'Put a copy of the bundle back', command: 'dapr-mtls backup restore STORE' };
const unite: Act = {
  text: 'Make Secret and ConfigMap one bundle again',
  command: 'dapr-mtls repair -k --from secret',
};
const renew: Act = { text: 'Make new certificates', command: 'dapr-mtls renew-certificate STORE' };
const restartApplications: Act = {
  text: 'Re-create the pods that hold old anchors',
  command: 'dapr-mtls restart -k --apps -A',
};
const restartSidecars: Act = {
  text: 'Self-hosted: start the sidecars again, with the anchors of today in their environment',
  command: 'dapr-mtls env --dir DIR',
};
const restartControlPlane: Act = { text: 'Restart the control plane in its order', command: 'dapr-mtls restart -k' };
const compareClocks: Act = { text: 'Compare the clocks of the nodes' };
const setClocks: Act = { text: 'Set the clocks right', command: 'chronyc tracking' };
const allowSkew: Act = {
  text: 'Allow for a greater difference',
  command: 'dapr-mtls config set -k allowedClockSkew=15m',
};

/**
 * The lines that Sentry, daprd, the other services, the official CLI, the API server and Helm write about
 * trust, from their sources (dapr/dapr pkg/sentry, pkg/security and pkg/acl, dapr/cli pkg/kubernetes,
 * dapr/kit crypto/spiffe and crypto/pem, Go's crypto/x509 and crypto/tls) and from runs of Dapr 1.11 to
 * 1.18. The first that matches a line explains it: a wrapped error stands before what wraps it.
 */
export const knownLines: readonly KnownLine[] = [
  {
    code: 'sentry.regenerated',
    title: 'Sentry has replaced the bundle with a new one',
    pattern:
      /Root and issuer certs not found: generating self signed CA|Generating self-signed CA certs and persisting/,
    cause:
      'A file or key of the bundle was missing, or ca.crt of Secret and ConfigMap differed by at least a byte, when Sentry started. Every sidecar that is older than this line holds anchors that the new issuer does not belong to.',
    checks: [stale, { text: 'See which copies there are', command: 'dapr-mtls backup list STORE' }],
    mends: [
      { text: 'Put the former bundle back, if a copy is there', command: 'dapr-mtls backup restore STORE' },
      { text: 'Else let everybody take the new one', command: 'dapr-mtls restart -k --apps -A' },
      restartSidecars,
    ],
    example:
      'time="2026-11-22T01:02:03Z" level=info msg="Root and issuer certs not found: generating self signed CA" instance=dapr-sentry-0 scope=dapr.sentry.ca type=log ver=1.17.13',
  },
  {
    code: 'webhook.untrusted',
    title: 'The API server does not trust the sidecar injector',
    pattern: /failed calling webhook "[^"]*dapr[^"]*".*x509:/,
    cause:
      "The caBundle of Dapr's webhook is not what the injector's certificate verifies under: the injector writes it when it starts, and has not since the anchors changed. The webhook's failure policy is Ignore, so pods come up without a sidecar and nobody is told.",
    checks: [probe],
    mends: [restartControlPlane],
    example:
      'failed calling webhook "sidecar-injector.dapr.io": failed to call webhook: Post "https://dapr-sidecar-injector.dapr-system.svc:443/mutate?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority',
  },
  {
    code: 'certificate.expired',
    title: 'A certificate has expired',
    pattern:
      /certificate has expired or is not yet valid: current time \S+ is after|tls: expired certificate|certificate has expired\.?$/,
    cause:
      'Root, issuer, or the certificate of one side has ended. Where it is root or issuer, Sentry exits at its next start and no new connection is made; where it is a leaf, its holder could not renew it.',
    checks: [ends, judge],
    mends: [renew, restartControlPlane, restartApplications, restartSidecars],
    example:
      'failed to verify CA bundle: issuer chain does not belong to trust anchors: x509: certificate has expired or is not yet valid: current time 2026-11-22T01:02:03Z is after 2026-11-21T01:02:03Z',
  },
  {
    code: 'certificate.not-yet-valid',
    title: 'A certificate is not valid yet',
    pattern: /certificate has expired or is not yet valid: current time \S+ is before/,
    cause: 'The clock of this machine is behind, or the certificate was made on a machine whose clock is ahead.',
    checks: [compareClocks, judge],
    mends: [setClocks, allowSkew],
    example:
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-22T01:02:03Z is before 2026-11-22T01:05:00Z',
  },
  {
    code: 'certificate.outside-validity',
    title: 'A certificate has expired, or the clock is wrong',
    pattern: /certificate has expired or is not yet valid/,
    cause:
      'Go says which of the two behind these words: `current time ... is after` or `... is before`. After: root, issuer, or the certificate of one side has ended. Before: the clock of this machine is behind, or the certificate was made on a machine whose clock is ahead.',
    checks: [ends, judge, compareClocks],
    mends: [
      { text: 'Where one has ended, make new certificates', command: 'dapr-mtls renew-certificate STORE' },
      restartControlPlane,
      restartApplications,
      restartSidecars,
      setClocks,
      allowSkew,
    ],
    example: 'x509: certificate has expired or is not yet valid',
  },
  {
    code: 'certificate.ends-soon',
    title: 'The root ends soon',
    pattern:
      /root certificate expiration warning: certificate expires in|root certificate of your Kubernetes cluster expires/i,
    cause: 'Less than 30 days are left. Behind the end no new connection is made and Sentry does not start.',
    checks: [ends],
    mends: [
      { text: 'See how it can be renewed without losing a call', command: 'dapr-mtls rotate plan STORE' },
      { text: 'Do it', command: 'dapr-mtls rotate run STORE --wait' },
    ],
    example: 'Dapr root certificate expiration warning: certificate expires in 2 days and 15 hours',
  },
  {
    code: 'path.too-long',
    title: 'More authorities stand in the chain than one of them allows',
    pattern: /too many intermediates for path length constraint/,
    cause:
      "A bridge puts two authorities below the old issuer, and its pathlen (0 in the documentation's recipes) allows fewer. Sentry does not look at it, its clients do.",
    checks: [judge, { text: 'Look at pathlen in the chain', command: 'dapr-mtls inspect STORE' }],
    mends: [
      { text: 'Put the issuer without the bridge back', command: 'dapr-mtls rotate undo STORE' },
      { text: 'Rotate in stages instead', command: 'dapr-mtls rotate plan STORE --procedure staged' },
    ],
    example: 'remote error: tls: bad certificate: x509: too many intermediates for path length constraint',
  },
  {
    code: 'chain.not-of-anchors',
    title: 'The issuer does not belong to the anchors',
    pattern: /issuer chain does not belong to trust anchors/,
    cause:
      'Issuer and ca.crt are of two bundles: one of them was changed alone, or an anchor was dropped that still carries the issuer. Sentry exits.',
    checks: [judge],
    mends: [restore],
    example:
      'level=fatal msg="error creating CA: failed to verify CA bundle: issuer chain does not belong to trust anchors: x509: certificate signed by unknown authority"',
  },
  {
    code: 'peer.same-name-other-key',
    title: 'The peer was signed by an authority of the same name with another key',
    pattern:
      /signed by unknown authority \(possibly because of .* while trying to verify candidate authority certificate/,
    cause:
      'The bundle was replaced by one of the same names: who started before holds the former anchor, and its name matches while its key does not.',
    checks: [stale, judge],
    mends: [restartControlPlane, restartApplications, restartSidecars],
    example:
      'x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "cluster.local")',
  },
  {
    code: 'peer.unknown-authority',
    title: 'One side does not hold the anchor that the other was signed under',
    pattern:
      /certificate signed by unknown authority|tls: unknown certificate authority|could not verify leaf certificate/,
    cause:
      'The anchors were changed and one of the two has not been started again since: a sidecar reads its anchors once, when its pod is made.',
    checks: [stale, probe],
    mends: [restartControlPlane, restartApplications, restartSidecars],
    example:
      'rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"',
  },
  {
    code: 'peer.refused-ours',
    title: 'The other side refused the certificate that this one showed',
    pattern: /tls: (?:bad|unknown) certificate/,
    cause:
      'The reason stands in the log of the other side. Mostly it does not hold the anchor that this one was signed under.',
    checks: [stale, { text: "Explain the other side's log", command: 'kubectl logs POD -c daprd | dapr-mtls explain' }],
    mends: [restartApplications, restartSidecars],
    example: 'connection error: desc = "error reading server preface: remote error: tls: bad certificate"',
  },
  {
    code: 'peer.unexpected-identity',
    title: 'The other side has another SPIFFE ID than was expected',
    pattern:
      /unexpected (?:SPIFFE )?ID:? "?spiffe:|unexpected trust domain "|no X\.?509 bundle (?:found )?for trust domain/,
    cause:
      'Trust domain or namespace differ from what this side was told: `--control-plane-trust-domain` of daprd, `--trust-domain` and NAMESPACE of Sentry, `controlPlaneTrustDomain` of the Configuration.',
    checks: [{ text: 'See what the Configuration says', command: 'dapr-mtls config view STORE' }, judge],
    mends: [
      {
        text: 'Tell daprd what Sentry was told (self-hosted)',
        command: 'daprd --control-plane-trust-domain cluster.local ...',
      },
      restartControlPlane,
    ],
    example: 'unexpected ID "spiffe://cluster.local/ns/dapr-system/dapr-sentry"',
  },
  {
    code: 'peer.dns-name',
    title: 'The issuer lacks the DNS name that older clients ask for',
    pattern:
      /certificate is valid for .*, not cluster\.local|certificate is not valid for any names, but wanted to match cluster\.local/,
    cause:
      'Up to Dapr 1.13 clients verify the DNS name `cluster.local` on what Sentry shows. The issuer was made without it.',
    checks: [judge],
    mends: [
      { text: 'Make an issuer that has it', command: 'dapr-mtls renew-certificate STORE --private-key root.key' },
    ],
    example: 'x509: certificate is valid for localhost, not cluster.local',
  },
  {
    code: 'issuer.not-a-signer',
    title: 'A certificate that signs others may not do so',
    pattern:
      /intermediate certificate is not valid for signing|parent certificate cannot sign this kind of certificate|certificate is not authorized to sign other certificates/,
    cause: 'A root or an issuer lacks CA:TRUE or the key usage keyCertSign.',
    checks: [judge],
    mends: [restore, renew],
    example: 'failed to verify CA bundle: intermediate certificate is not valid for signing',
  },
  {
    code: 'issuer.key-usage',
    title: 'A certificate is not meant for what it is used for',
    pattern: /certificate specifies an incompatible key usage/,
    cause: 'Root or issuer carry an extendedKeyUsage without serverAuth and clientAuth: it holds for all below them.',
    checks: [judge],
    mends: [renew],
    example: 'tls: failed to verify certificate: x509: certificate specifies an incompatible key usage',
  },
  {
    code: 'issuer.key-mismatch',
    title: 'The issuer key does not belong to the issuer',
    pattern: /issuer key does not match issuer certificate|private key does not match public key/,
    cause: 'issuer.crt and issuer.key were changed one at a time, or come from two bundles.',
    checks: [judge],
    mends: [restore],
    example:
      'level=fatal msg="error creating CA: failed to verify CA bundle: issuer key does not match issuer certificate"',
  },
  {
    code: 'issuer.key-block',
    title: 'The issuer key is in a form that Sentry does not read',
    pattern: /unsupported (?:block|key) type|key is not PEM encoded/,
    cause:
      'Sentry reads the first block of the file only, and takes PKCS#8, SEC1 (EC PRIVATE KEY) and PKCS#1. `openssl ecparam -genkey` puts EC PARAMETERS first; an encrypted key is not read at all.',
    checks: [judge],
    mends: [
      {
        text: 'Write the key again as PKCS#8',
        command: 'openssl pkcs8 -topk8 -nocrypt -in issuer.key -out issuer.pkcs8.key',
      },
      {
        text: 'Renew with the new file',
        command:
          'dapr-mtls renew-certificate STORE --ca-root-certificate ca.crt --issuer-public-certificate issuer.crt --issuer-private-key issuer.pkcs8.key',
      },
    ],
    example: 'failed to verify CA bundle: unsupported block type EC PARAMETERS',
  },
  {
    code: 'anchor.not-self-signed',
    title: 'ca.crt holds a certificate that is no root',
    pattern: /certificate in trust anchor is not self-signed/,
    cause: 'An intermediate or a cross-certificate (a bridge) stands in ca.crt. It belongs into issuer.crt.',
    checks: [judge],
    mends: [restore],
    example:
      'failed to verify CA bundle: certificate in trust anchor is not self-signed: x509: ECDSA verification failure',
  },
  {
    code: 'pem.chain-order',
    title: 'The certificates of issuer.crt are in the wrong order',
    pattern: /certificate chain is not valid/,
    cause: 'Sentry wants the issuer first, and each certificate signed by the next one.',
    checks: [judge, { text: 'See who signed whom', command: 'dapr-mtls inspect STORE' }],
    mends: [restore],
    example: 'failed to verify CA bundle: certificate chain is not valid',
  },
  {
    code: 'pem.empty',
    title: 'A file of certificates holds none',
    pattern:
      /(?:msg=|: |^)"?no certificates (?:found|in chain)|failed to decode trust anchors|trust anchors are required/,
    cause:
      'ca.crt or issuer.crt is empty, is no PEM, or begins with a block that is no certificate: reading stops there.',
    checks: [judge],
    mends: [restore],
    example: 'failed to decode trust anchors: no certificates found',
  },
  {
    code: 'bundle.object-missing',
    title: 'Secret or ConfigMap of the bundle is not there',
    pattern: /(?:secrets?|configmaps?) [\\"]*dapr-trust-bundle[\\"]* not found/i,
    cause:
      'Sentry exits and writes nothing. A run that changes the anchors takes the ConfigMap away for two seconds; where it stays away the run has died.',
    checks: [judge, services],
    mends: [{ text: 'Finish or undo what was begun', command: 'dapr-mtls repair -k' }, unite],
    example:
      'level=fatal msg="error creating CA: failed to get CA bundle: configmaps \\"dapr-trust-bundle\\" not found" scope=dapr.sentry',
  },
  {
    code: 'bundle.unreadable',
    title: 'Sentry may not read a file of the bundle',
    pattern: /failed to read (?:root certificate|issuer certificate|issuer key):.*(?:permission denied|is a directory)/,
    cause: 'Owner or mode of the file do not fit the user that Sentry runs as.',
    checks: [{ text: 'Look at owner and mode', command: 'ls -ln DIR' }],
    mends: [
      {
        text: 'Give it to the user of Sentry',
        command: 'chown SENTRY_USER DIR/issuer.key && chmod 600 DIR/issuer.key',
      },
    ],
    example: 'failed to read issuer key: open /certs/issuer.key: permission denied',
  },
  {
    code: 'sentry.configuration',
    title: 'Sentry does not find its Configuration',
    pattern: /couldn't find config name/,
    cause: 'In standalone mode Sentry ends without `--config FILE`; an empty file means defaults.',
    checks: [{ text: 'Look at how Sentry is started' }],
    mends: [{ text: 'Make bundle and Configuration', command: 'dapr-mtls init --dir DIR' }],
    example:
      'loading default config. couldn\'t find config name "daprsystem": open daprsystem: no such file or directory',
  },
  {
    code: 'sentry.as-root',
    title: 'Sentry does not run as root',
    pattern: /current user UID\(0\) is root/,
    cause: 'In a cluster Sentry refuses to run as root.',
    checks: [services],
    mends: [{ text: "Take `runAsNonRoot: false` and `runAsUser: 0` out of Sentry's Deployment" }],
    example: 'current user UID(0) is root. Dapr Sentry must be run as a non-root user',
  },
  {
    code: 'sentry.no-validator',
    title: 'The client did not say how it proves who it is',
    pattern: /a validator name must be specified in this environment|the requested validator is not enabled/,
    cause:
      'A sidecar without a token asks a Sentry that wants one: it runs outside the cluster, or is older than 1.11.',
    checks: [{ text: 'See which validators are configured', command: 'dapr-mtls config view STORE' }],
    mends: [
      { text: 'Give the sidecar a token (DAPR_SENTRY_TOKEN_FILE), or name a jwks validator in the Configuration' },
    ],
    example: 'rpc error: code = InvalidArgument desc = a validator name must be specified in this environment',
  },
  {
    code: 'sentry.token-refused',
    title: 'Sentry does not accept the token of the client',
    pattern:
      /token validation failed|token review failed|invalid bearer token|the request does not contain a token|failed to get pod of identity|token at path '[^']*' is empty/,
    cause:
      'The projected service account token has expired, is of another audience, or the pod it names is gone. Right after a restart of the API server, a rate limit of Sentry shows in the same words.',
    checks: [services],
    mends: [{ text: 'Re-create the pod', command: 'kubectl delete pod POD' }],
    example:
      'error from sentry SignCertificate: rpc error: code = PermissionDenied desc = token review failed: invalid bearer token',
  },
  {
    code: 'sentry.identity-refused',
    title: 'Sentry refused to sign',
    pattern: /error from sentry SignCertificate: rpc error: code = (?:PermissionDenied|InvalidArgument|Internal)/,
    cause: 'Sentry was reached and trusted, and said no. Its own log at level debug has the reason.',
    checks: [
      services,
      { text: "Explain Sentry's log", command: 'kubectl logs -n dapr-system deploy/dapr-sentry | dapr-mtls explain' },
    ],
    mends: [{ text: 'Mend what it names; a Configuration that the pod names and that is not there, for instance' }],
    example: 'error from sentry SignCertificate: rpc error: code = PermissionDenied desc = failed to get configuration',
  },
  {
    code: 'sentry.unreachable',
    title: 'Sentry cannot be reached',
    pattern:
      /error establishing connection to sentry|dial tcp [^ ]*:50001: connect|lookup dapr-sentry\S* .*no such host/,
    cause: 'No Sentry is ready, the address is wrong, or a network policy stands in the way.',
    checks: [services, probe],
    mends: [restartControlPlane],
    example: 'error establishing connection to sentry: context deadline exceeded',
  },
  {
    code: 'leaf.not-renewed',
    title: 'A sidecar could not renew its certificate',
    pattern: /Error renewing identity, trying again/,
    cause:
      'It goes on with the certificate it has until that ends (workloadCertTTL), and tries again every ten seconds. The rest of the line has the reason.',
    checks: [services, stale],
    mends: [restartControlPlane],
    example:
      'Error renewing identity, trying again in 10 seconds: error from sentry SignCertificate: context deadline exceeded',
  },
  {
    code: 'leaf.none',
    title: 'A service has no certificate yet',
    pattern: /no X\.?509 SVID available/,
    cause: 'It asked for its identity and has not got one: Sentry is away, or the two do not trust each other.',
    checks: [services, probe],
    mends: [restartControlPlane],
    example: 'no X509 SVID available',
  },
  {
    code: 'leaf.hot-loop',
    title: 'A sidecar renews its certificate without a pause',
    pattern: /Renewing workload cert/,
    atLeast: 20,
    cause: 'allowedClockSkew is as long as workloadCertTTL or longer: a new certificate is due for renewal at once.',
    checks: [{ text: 'Compare the two', command: 'dapr-mtls config view STORE' }],
    mends: [
      { text: 'Set both in one call', command: 'dapr-mtls config set STORE workloadCertTTL=25s allowedClockSkew=5s' },
    ],
    example: 'Renewing workload cert; current cert expires on: 2026-11-22 01:02:28 +0000 UTC',
  },
  {
    code: 'identity.silence',
    title: 'A sidecar waits for its identity and says nothing more',
    pattern: /Fetching initial identity/,
    unlessFollowedBy: /Security is initialized successfully|failed to retrieve the initial identity|error from sentry/,
    cause:
      "It cannot verify Sentry and tries for ever, without a line: its anchors are not Sentry's, or its control-plane trust domain (localhost by default outside a cluster) is not the one that Sentry was started with.",
    checks: [stale, probe],
    mends: [
      {
        text: 'Re-create the pod, so that it is given the anchors of today',
        command: 'dapr-mtls restart -k --apps -A',
      },
      {
        text: 'Self-hosted: tell daprd what Sentry was told',
        command: 'daprd --control-plane-trust-domain cluster.local ...',
      },
    ],
    example: 'level=info msg="Fetching initial identity" scope=dapr.runtime.security',
  },
  {
    code: 'identity.failed',
    title: 'A service did not get its first certificate',
    pattern: /failed to retrieve the initial identity/,
    cause: 'The rest of the line has the reason; it is none that this table knows.',
    checks: [services, probe, judge],
    mends: [restartControlPlane],
    example: 'Fatal error from runtime: failed to retrieve the initial identity certificate: context canceled',
  },
  {
    code: 'call.denied',
    title: 'The called sidecar denies this caller the operation',
    pattern: /access control policy has denied access to (?:app)?id:/,
    cause:
      "Both sides have verified each other. No policy in the access control of the called app's Configuration allows the operation to this caller: a policy fits only where trust domain, namespace and app ID are those of the caller's SPIFFE ID. Where none fits, `defaultAction` decides.",
    checks: [
      { text: 'See the rules of the called app', command: 'kubectl get configurations.dapr.io -A -o yaml' },
      {
        text: "Compare trust domain, namespace and app ID with the caller's, spiffe://TRUST_DOMAIN/ns/NAMESPACE/APP_ID",
      },
    ],
    mends: [
      {
        text: "Name the caller's trust domain (`public` unless its own Configuration sets `accessControl.trustDomain`), namespace and app ID in a policy of the called app, and re-create the pods of both",
      },
    ],
    example:
      'failed to invoke, id: checkout, err: rpc error: code = PermissionDenied desc = access control policy has denied access to id: spiffe://public/ns/shop/cart operation: order verb: POST',
  },
  {
    code: 'dapr.not-installed',
    title: 'There is no Dapr in this cluster',
    pattern: /system configuration not found/,
    cause:
      'The official CLI looks for the Configuration `daprsystem` in all namespaces and has found none: Dapr is not installed in the cluster that was asked, which may be another one than was meant, or the Configuration was deleted.',
    checks: [{ text: 'See which cluster is asked', command: 'kubectl config current-context' }, services],
    mends: [{ text: 'Install Dapr', command: 'dapr-mtls init -k' }],
    example: 'error checking mTLS: system configuration not found',
  },
  {
    code: 'injector.account',
    title: 'The injector does not serve who made the pod',
    pattern: /service account '[^']*' not on the list of allowed controller accounts/,
    cause:
      'The pod was made by a controller that Dapr does not know (Argo Rollouts, Tekton, an operator): it has no sidecar.',
    checks: [probe],
    mends: [
      {
        text: "Name the account in the chart's values",
        command:
          'helm upgrade dapr dapr/dapr -n dapr-system --reuse-values --set dapr_sidecar_injector.allowedServiceAccounts=NS:NAME',
      },
    ],
    example: "service account 'system:serviceaccount:argo:rollouts' not on the list of allowed controller accounts",
  },
  {
    code: 'helm.secret-refused',
    title: 'The API server refused the bundle that Helm sent (422)',
    pattern: /cannot patch "dapr-trust-bundle" with kind (?:Secret|ConfigMap)/,
    cause:
      "The values hold what no Secret may hold (bad base64, too long), or the object is immutable. Careful: the API server's answer repeats the whole Secret, key included.",
    checks: [judge, { text: 'See who keeps the objects', command: 'dapr-mtls renew-certificate -k --dry-run' }],
    mends: [
      {
        text: 'Write values that fit the bundle as it stands, and give them to helm',
        command: 'dapr-mtls renew-certificate -k --output-helm-values values.yaml',
      },
    ],
    example:
      'Error: UPGRADE FAILED: cannot patch "dapr-trust-bundle" with kind Secret:  "" is invalid: patch: Invalid value',
  },
  {
    code: 'helm.foreign-object',
    title: 'Helm does not take over a bundle that it has not made',
    pattern: /"dapr-trust-bundle" in namespace "[^"]*" exists and cannot be imported into the current release/,
    cause: "Secret or ConfigMap were there before the chart, without Helm's labels and annotations.",
    checks: [judge],
    mends: [
      {
        text: 'Let Helm take it over (3.17 and later); its data is kept',
        command: 'helm upgrade --install dapr dapr/dapr -n dapr-system --take-ownership',
      },
    ],
    example:
      'Error: INSTALLATION FAILED: Secret "dapr-trust-bundle" in namespace "dapr-system" exists and cannot be imported into the current release: invalid ownership metadata',
  },
  {
    code: 'helm.old-definitions',
    title: "The cluster's definition of a Configuration is older than the chart",
    pattern: /unknown field "(?:spec\.mtls\.)?(?:sentryAddress|controlPlaneTrustDomain)"/,
    cause: 'Helm does not upgrade CustomResourceDefinitions; those of Dapr 1.12 know fields that the former do not.',
    checks: [services],
    mends: [
      {
        text: "Apply the definitions of the chart's version first",
        command: 'kubectl replace -f charts/dapr/crds/configuration.yaml',
      },
    ],
    example:
      'error validating data: [ValidationError(Configuration.spec.mtls): unknown field "sentryAddress" in io.dapr.v1alpha1.Configuration.spec.mtls]',
  },
  {
    code: 'sentry.reloads',
    title: 'Sentry has seen a change and reads the bundle anew',
    pattern: /Issuer credentials changed; reloading/,
    cause: 'Something in its directory or in the mounted Secret changed. This is as it should be after a renewal.',
    checks: [judge],
    mends: [],
    example: 'level=warning msg="Issuer credentials changed; reloading" scope=dapr.sentry',
  },
  {
    code: 'sentry.ca-failed',
    title: 'Sentry could not set up its authority',
    pattern: /error creating CA:|failed to verify CA bundle:/,
    cause: 'It exits. The rest of the line has the reason; it is none that this table knows.',
    checks: [judge],
    mends: [restore],
    example: 'level=fatal msg="error creating CA: failed to get CA bundle: Unauthorized" scope=dapr.sentry',
  },
];
