import type { MtlsReport } from '../app/mtls-state.ts';

/** The official CLI's sentence, with the space before the end of its line. */
export function renderMtlsState({ enabled }: MtlsReport): string {
  return `Mutual TLS is ${enabled ? 'enabled' : 'disabled'} in your Kubernetes cluster \n`;
}
