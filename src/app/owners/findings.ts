import { bundleKinds, type HelmRelease, type OwnerFacts } from '../../kube/owners/facts.ts';
import { type Finding, finding } from '../../pki/rules/finding.ts';
import { holdsValues, judgeRelease } from './helm.ts';
import { judgeOwners } from './judge.ts';

/** What `check -k` says of owners: who would undo a change, and who already differs from what is live. */
export function findOwnerFindings(facts: OwnerFacts): Finding[] {
  return [...findInHelm(facts), ...findInClaims(facts)];
}

function findInHelm({ helm, live, claims }: OwnerFacts): Finding[] {
  if (helm.state === 'none') return [];
  if (helm.state === 'not-checked') {
    return [
      finding('owner.not-checked', {
        subject: 'Helm',
        message: `whether a Helm release holds another bundle was not checked: ${helm.reason}`,
        hint: 'Run it as a user who may list and get Secrets there, or look yourself: `helm get values`.',
      }),
    ];
  }
  const { release } = helm;
  const subject = `Helm release ${release.name}`;
  const { effect, message, splits } = judgeRelease(release, live);
  const findings: Finding[] = [];
  if (effect === 'reverts' || effect === 'conflicts') {
    findings.push(
      finding('owner.reverts', {
        subject,
        message: `${subject} ${message}`,
        hint: claims.some(({ declares }) => declares.kind === 'release')
          ? 'Commit what is live (`dapr-mtls export -k`) to the values of the HelmRelease before Flux reconciles it.'
          : `Bring the release to what is live before its next upgrade: ${storeLive(release)}`,
        ...(splits ? { severity: 'error' } : {}),
      }),
    );
  }
  if (release.revisions.some(holdsValues)) {
    findings.push(
      finding('owner.helm-values', {
        subject,
        message: `${subject} holds the bundle in its values: change it by \`--via-helm\`, or an upgrade puts the old one back`,
        hint: 'Who may read the release Secrets has the issuer key, too: grant `get secrets` accordingly.',
      }),
    );
  } else if (effect === 'keeps') {
    findings.push(
      finding('owner.helm-force', {
        subject,
        message: `${subject} ${message}`,
        hint: 'Leave --force out of its upgrades.',
      }),
    );
  }
  return findings;
}

/** The three files of `export` as values: no key stands on a command line. */
function storeLive({ name, namespace, valuesPath }: HelmRelease): string {
  const set = (value: string, file: string) => `--set-file ${[...valuesPath, value].join('.')}=certs/${file}`;
  const values = [
    set('root.certPEM', 'ca.crt'),
    set('issuer.certPEM', 'issuer.crt'),
    set('issuer.keyPEM', 'issuer.key'),
  ];
  const upgrade = `helm upgrade ${name} CHART --namespace ${namespace} --reuse-values ${values.join(' ')}`;
  return `\`dapr-mtls export -k -o certs\`, then \`${upgrade}\` with the chart and version that it has.`;
}

/** As if every key were about to change: who would mind declares it. */
function findInClaims(facts: OwnerFacts): Finding[] {
  const claimsOnly: OwnerFacts = { ...facts, helm: { state: 'none' } };
  const changed = bundleKinds.map((kind) => [
    kind,
    Object.fromEntries(Object.keys(facts.live[kind] ?? {}).map((key) => [key, 'changed'])),
  ]);
  const minds = judgeOwners(claimsOnly, Object.fromEntries(changed)).filter(({ effect }) => effect === 'reverts');
  return minds.map(({ title, objects, message }) => {
    const differs = facts.claims.some(
      ({ declares, object }) =>
        declares.kind === 'values' &&
        objects.includes(object) &&
        Object.entries(declares.data).some(([key, value]) => facts.live[object]?.[key] !== value),
    );
    return finding(differs ? 'owner.reverts' : 'owner.declares', {
      subject: title,
      message,
      hint: 'Change the bundle where it is declared, or have that owner leave the data alone.',
    });
  });
}
