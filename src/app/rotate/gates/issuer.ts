import { DaprMtlsError } from '../../../errors.ts';
import { type Certificate, isSignedBy, readCertificate } from '../../../pki/certificate.ts';
import { askFor } from './confirmations.ts';
import { type GateContext, type GateVerdict, join, sinceOf } from './gate.ts';
import { judgeServices, sentriesOf } from './services.ts';

export function judgeIssuer(context: GateContext): GateVerdict {
  const { world, phase, record, live, wayToStore } = context;
  const shown = judgeShown(context);
  if (!world.services) {
    // Nobody else can tell what a Sentry of a directory has read.
    return world.sentry.kind === 'shown' ? shown : askFor('issuer-switched', context);
  }
  const since = sinceOf(phase, record.phases);
  const sentries = sentriesOf(world.services);
  const issuer = live.issuerChain[0].fingerprint.slice(0, 16);
  if (sentries.length === 0) {
    return {
      evidence: [],
      waits: [{ what: 'no Sentry runs', mend: `See why: \`dapr-mtls status${wayToStore}\`.`, until: undefined }],
    };
  }
  const started = judgeServices(sentries, since, context);
  const evidence =
    started.waits.length === 0
      ? [`${sentries.length} of ${sentries.length} Sentry pods started on the issuer ${issuer}`]
      : [];
  return join([{ evidence, waits: started.waits }, ...(world.sentry.kind === 'shown' ? [shown] : [])]);
}

function judgeShown({ world, live, wayToStore }: GateContext): GateVerdict {
  const { sentry } = world;
  if (sentry.kind !== 'shown') return { evidence: [], waits: [] };
  const [issuer] = live.issuerChain;
  const [leaf, signer] = sentry.chain;
  // An issuer that was renewed on its key signs as the old one did, but does not show the same certificate.
  if (leaf && isOf(leaf, issuer) && (signer === undefined || signer.equals(issuer.der)))
    return { evidence: [`Sentry shows a certificate of the issuer ${issuer.fingerprint.slice(0, 16)}`], waits: [] };
  return {
    evidence: [],
    waits: [
      {
        what: 'Sentry still shows a certificate of another issuer',
        mend: world.services
          ? `See its log; \`dapr-mtls restart${wayToStore}\` restarts it.`
          : 'It reads its files again within some seconds; see its log if it does not.',
        until: undefined,
      },
    ],
  };
}

function isOf(der: Buffer, issuer: Certificate): boolean {
  try {
    return isSignedBy(readCertificate(der), issuer);
  } catch (error) {
    // What Sentry shows is a stranger's word until it is read.
    if (error instanceof DaprMtlsError) return false;
    throw error;
  }
}
