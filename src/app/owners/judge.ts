import type { Declaration, OwnerClaim, OwnerFacts } from '../../kube/owners/facts.ts';
import { judgeRelease } from './helm.ts';
import { lookAhead, type Outlook, type PlannedData } from './planned-data.ts';
import { type Effect, gravest, type OwnerVerdict } from './verdict.ts';

/**
 * What each owner does next to the bundle as it will be, and whether it must stop the change.
 * Where nothing would change for an owner there is no verdict on it. Pure.
 */
export function judgeOwners(facts: OwnerFacts, planned: PlannedData): OwnerVerdict[] {
  const outlooks = lookAhead(facts, planned).filter(({ changed }) => changed.length > 0);
  if (outlooks.length === 0) return [];
  const claims = groupClaims(facts.claims.filter(({ object }) => outlooks.some(({ kind }) => kind === object)));
  const flux = claims.find(([{ declares }]) => declares.kind === 'release');
  return [
    ...judgeHelm(facts, outlooks, flux?.[0]),
    ...claims.filter((group) => group !== flux).map((group) => judgeClaims(group, outlooks)),
  ];
}

/** One owner's marks on the two objects are one claim. */
type ClaimGroup = readonly [OwnerClaim, ...OwnerClaim[]];

function groupClaims(claims: readonly OwnerClaim[]): ClaimGroup[] {
  const groups = new Map<string, [OwnerClaim, ...OwnerClaim[]]>();
  for (const claim of claims) {
    const key = `${claim.owner} ${claim.kind} ${claim.name}`;
    const group = groups.get(key);
    if (group) group.push(claim);
    else groups.set(key, [claim]);
  }
  return [...groups.values()];
}

/** A HelmRelease of Flux is a Helm release that somebody else upgrades: it is judged by the release, once. */
function judgeHelm(
  { helm, live }: OwnerFacts,
  outlooks: readonly Outlook[],
  flux: OwnerClaim | undefined,
): OwnerVerdict[] {
  if (helm.state === 'none') return [];
  const objects = outlooks.map(({ kind }) => kind);
  const owner = flux ? ('flux' as const) : ('helm' as const);
  const source = flux ? ('helm-values' as const) : ('helm-release' as const);
  if (helm.state === 'not-checked') {
    const title = flux ? titleOf(flux) : 'Helm';
    const message = `${title}: whether an upgrade would undo this was not checked: ${helm.reason}`;
    return [{ owner, title, objects, effect: 'unknown', stops: false, message, source }];
  }
  const { release } = helm;
  const after = { ...live, ...Object.fromEntries(outlooks.map(({ kind, after }) => [kind, after])) };
  const judgement = judgeRelease(release, after);
  const title = flux ? titleOf(flux) : `Helm release ${release.name}`;
  const isHarmful = judgement.effect === 'reverts' || judgement.effect === 'conflicts';
  return [
    {
      owner,
      title,
      objects: judgement.objects,
      effect: judgement.effect,
      stops: isHarmful,
      message: `${title} ${judgement.message}`,
      source,
    },
  ];
}

function judgeClaims(group: ClaimGroup, outlooks: readonly Outlook[]): OwnerVerdict {
  const [first] = group;
  const title = titleOf(first);
  const judged = group.map((claim) => ({ object: claim.object, effect: judgeDeclaration(claim, outlooks) }));
  const effect = gravest(judged.map(({ effect }) => effect));
  return {
    owner: first.owner,
    title,
    objects: judged.filter((one) => one.effect === effect).map(({ object }) => object),
    effect,
    stops: effect === 'reverts' && !isByHand(first),
    message: `${title} ${describe(first, effect)}`,
    source: sourceOf(first),
  };
}

function judgeDeclaration({ object, declares }: OwnerClaim, outlooks: readonly Outlook[]): Effect {
  const outlook = outlooks.find(({ kind }) => kind === object);
  if (!outlook) return 'keeps';
  return effectOf(declares, outlook);
}

function effectOf(declares: Declaration, { after, changed }: Outlook): Effect {
  switch (declares.kind) {
    case 'values': {
      const isSame = Object.entries(declares.data).every(([key, value]) => after[key] === value);
      return isSame ? 'agrees' : 'reverts';
    }
    case 'keys':
      return declares.keys.some((key) => changed.includes(key)) ? 'reverts' : 'keeps';
    case 'everything':
      return 'reverts';
    case 'nothing':
      return 'keeps';
    default:
      return 'unknown';
  }
}

/** Only a person, or a pipeline, applies a file again: nothing happens by itself. */
function isByHand({ owner }: OwnerClaim): boolean {
  return owner === 'kubectl';
}

function describe(claim: OwnerClaim, effect: Effect): string {
  if (effect === 'keeps') return 'keeps the object and leaves its data alone';
  if (effect === 'agrees') return 'declares the same data';
  if (effect === 'unknown')
    return 'may declare these data: what it wrote is covered by what we have written since, so that was not checked';
  return harms[claim.owner] ?? harmOf(claim);
}

/** What the owners that are known by name do to a change, in their own words. */
const harms: Readonly<Record<string, string>> = {
  helm: 'was the last to write these data, which it does where its values hold a bundle: the next `helm upgrade` puts that one back',
  flux: 'declares these data and applies them by force at its next reconciliation',
  argocd: 'declares these data, and its next sync puts them back',
  'cert-manager': 'writes these data, and writes them again when they are not what it wrote',
  'external-secrets': 'writes these data again at its next refresh',
  kubectl: 'was given a file with other data: applying that file again puts them back',
};

function harmOf({ declares }: OwnerClaim): string {
  return declares.kind === 'keys'
    ? 'declares these data by server-side apply: its next apply conflicts, or, forced, puts its own back'
    : 'is the controller of the object, and writes its own data again';
}

const names: Readonly<Record<string, string>> = {
  flux: 'Flux',
  argocd: 'Argo CD',
  'cert-manager': 'cert-manager',
  'external-secrets': 'External Secrets',
};

function titleOf({ owner, kind, name }: OwnerClaim): string {
  const what = [names[owner], kind].filter(Boolean).join(' ');
  if (kind === 'server-side apply') return `field manager ${owner}`;
  return name ? `${what} ${name}` : what;
}

function sourceOf({ owner }: OwnerClaim): OwnerVerdict['source'] {
  if (owner === 'cert-manager' || owner === 'external-secrets') return 'elsewhere';
  return owner === 'helm' ? 'helm-release' : 'manifest';
}
