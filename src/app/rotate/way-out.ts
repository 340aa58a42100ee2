import { isWayBack, type PhaseRecord } from './record.ts';

/** For a rotation that builds on what has ended meanwhile. @param wayToStore ` -k` or ` --dir DIR` */
export function wayOut(wayToStore: string): string {
  return `End this rotation, which keeps the bundle that stands there: \`dapr-mtls rotate undo${wayToStore} --abandon\`. Then \`dapr-mtls rotate plan${wayToStore}\` takes the shortest way out.`;
}

/** For a phase that cannot be proved: the old bundle may be sound still. */
export function wayOutOf(phase: Pick<PhaseRecord, 'name'>, wayToStore: string): string {
  if (isWayBack(phase)) return wayOut(wayToStore);
  return `Go back, where that can be proved: \`dapr-mtls rotate undo${wayToStore}\`. Otherwise: ${wayOut(wayToStore)}`;
}
