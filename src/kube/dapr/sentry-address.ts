import type { ControlPlane } from './control-plane.ts';
import { sentryName } from './services.ts';

/** Where the Configuration sends the control plane, which is where sidecars are sent. */
export function sentryAddressOf({ namespace, mtls }: Pick<ControlPlane, 'namespace' | 'mtls'>): {
  readonly host: string;
  readonly port: number;
} {
  const told = typeof mtls?.sentryAddress === 'string' ? mtls.sentryAddress : '';
  const [, host = `${sentryName}.${namespace}.svc.cluster.local`, port = '443'] = /^([\w.-]+):(\d+)$/.exec(told) ?? [];
  return { host, port: Number(port) };
}
