import { belongsTo } from '../bundle.ts';
import { describeKeyAlgorithm } from '../certificate.ts';
import { isEncrypted, isPrivateKey } from '../keys.ts';
import { decodeAsGo } from '../pem.ts';
import { certificatesOf } from '../reading.ts';
import { type DaprVersion, isAtLeast, mendingCommand, type RuleContext } from './context.ts';
import { type Finding, finding } from './finding.ts';

/** The issuer's key: readable by Sentry, and the issuer's. */
export function judgeKey(context: RuleContext): Finding[] {
  const { reading, names } = context;
  const file = reading.issuerKey;
  if (!file || file.bytes.length === 0) return [];
  const subject = names.issuerKey;
  if (file.blocks.some((block) => isPrivateKey(block) && isEncrypted(block))) {
    return [
      finding('key.encrypted', {
        subject,
        message: `${subject} is encrypted`,
        hint: `Sentry needs it in clear: openssl pkcs8 -in ${subject} -out clear.key`,
      }),
    ];
  }
  if (!file.key) {
    const { message = 'it cannot be read', hint = '' } = file.problem ?? {};
    return [finding('key.unreadable', { subject, message, hint })];
  }
  const findings: Finding[] = [];
  const [first] = decodeAsGo(file.bytes);
  if (!first || !isPrivateKey(first)) {
    findings.push(
      finding('key.not-first', {
        subject,
        message: first ? `its first block is ${first.label}, and Sentry reads no other` : 'Go finds no PEM block in it',
        hint: `Keep the private key block alone in ${subject}.`,
      }),
    );
  }
  const [issuer] = certificatesOf(reading.issuerChain);
  if (issuer && !belongsTo(file.key, issuer)) {
    findings.push(
      finding('key.mismatch', {
        subject,
        message: `${subject} is not the key of ${issuer.subject}`,
        hint: `Put the issuer certificate and its own key side by side, or restore both: ${mendingCommand(context, 'backup restore')}.`,
      }),
    );
  }
  return [...findings, ...judgeType(describeKeyAlgorithm(file.key), subject, context)];
}

/** Ed25519 and RSA issuers run on 1.16.15+, 1.17.7+ and 1.18; older Sentries exit or lose every handshake. */
function judgeType(algorithm: string, subject: string, context: RuleContext): Finding[] {
  const { daprVersion: version } = context;
  if (algorithm.startsWith('ECDSA')) return [];
  const details = {
    subject,
    hint: `ECDSA P-256 runs on every version: ${mendingCommand(context, 'renew-certificate --key-type p256')}.`,
  };
  if (!version)
    return [
      finding('key.type', {
        ...details,
        severity: 'info',
        message: `${algorithm} issuers need Dapr 1.16.16, 1.17.7 or 1.18 and later`,
      }),
    ];
  if (takesEveryKeyType(version)) return [];
  const { major, minor, patch } = version;
  return [
    finding('key.type', {
      ...details,
      severity: 'error',
      message: `Dapr ${major}.${minor}.${patch} does not take an ${algorithm} issuer`,
    }),
  ];
}

export function takesEveryKeyType(version: DaprVersion): boolean {
  if (version.major === 1 && version.minor === 16) return isAtLeast(version, 1, 16, 16);
  if (version.major === 1 && version.minor === 17) return isAtLeast(version, 1, 17, 7);
  return isAtLeast(version, 1, 18);
}
