import { digest } from '../../kube/owners/digest.ts';
import { type BundleKind, bundleKinds, type DataDigests, type OwnerFacts } from '../../kube/owners/facts.ts';
import type { BundlePart, FoundFiles } from '../../pki/reading.ts';

/** What the two objects will hold of the bundle when the change is done; other keys stay as they are. */
export type PlannedData = Readonly<Record<BundleKind, DataDigests>>;

/** Where the parts of a bundle stand: all in the Secret, the anchors in the ConfigMap too. */
export function planData(files: Partial<FoundFiles>, names: Readonly<Record<BundlePart, string>>): PlannedData {
  const digestsOf = (parts: readonly BundlePart[]) =>
    Object.fromEntries(
      parts.flatMap((part) => {
        const content = files[part];
        return content ? [[names[part], digest(content)]] : [];
      }),
    );
  return { Secret: digestsOf(['anchors', 'issuerChain', 'issuerKey']), ConfigMap: digestsOf(['anchors']) };
}

/** What owners are judged against: the data before and after. */
export interface Outlook {
  readonly kind: BundleKind;
  readonly after: DataDigests;
  /** The keys whose values will be others. */
  readonly changed: readonly string[];
}

/** An object that is not there will not be made for an owner's sake. */
export function lookAhead({ live }: OwnerFacts, planned: PlannedData): Outlook[] {
  return bundleKinds.flatMap((kind) => {
    const before = live[kind];
    if (!before) return [];
    const changed = Object.entries(planned[kind]).flatMap(([key, value]) => (before[key] === value ? [] : [key]));
    return [{ kind, after: { ...before, ...planned[kind] }, changed }];
  });
}
