import type { Resource } from '../port.ts';
import { resources } from '../resources.ts';

/** One service of the control plane. Its workload, its `app` label and its container all bear its name. */
export interface ControlPlaneService {
  readonly name: string;
  readonly resource: Resource;
  /** The value of the pods' annotation `dapr.io/control-plane`. */
  readonly role: string;
  /** Every control plane has it; the others may be switched off, or are not there in older versions. */
  readonly required: boolean;
}

/**
 * Dapr's Helm chart, in the order of a restart: whoever verifies comes after Sentry, and the
 * injector before what it would inject.
 */
export const controlPlaneServices = [
  { name: 'dapr-sentry', resource: resources.deployments, role: 'sentry', required: true },
  { name: 'dapr-sidecar-injector', resource: resources.deployments, role: 'injector', required: false },
  { name: 'dapr-operator', resource: resources.deployments, role: 'operator', required: true },
  { name: 'dapr-placement-server', resource: resources.statefulSets, role: 'placement', required: false },
  { name: 'dapr-scheduler-server', resource: resources.statefulSets, role: 'scheduler', required: false },
] as const satisfies readonly ControlPlaneService[];

/** Not a part of the control plane: it holds no certificate, and the chart has it no more. */
export const dashboardService = {
  name: 'dapr-dashboard',
  resource: resources.deployments,
  role: 'dashboard',
  required: false,
} as const satisfies ControlPlaneService;

export const sentryName = 'dapr-sentry';
/** Where the official CLI and the chart's documentation put the control plane. */
export const defaultNamespace = 'dapr-system';
/** Secret and ConfigMap of the bundle bear the same name. */
export const trustBundleName = 'dapr-trust-bundle';
/** The Configuration from which the injector, and Sentry unless told otherwise, take the mTLS settings. */
export const systemConfigurationName = 'daprsystem';
