import { type ControlPlaneService, controlPlaneServices, sentryName } from '../../kube/dapr/services.ts';
import type { Setting, SettingName } from './document.ts';

type Reader = 'sentry' | 'control-plane' | 'sidecars';

/**
 * Who has to start again before a setting holds (Dapr 1.18). The life of certificates is Sentry's alone
 * (cmd/sentry reads its Configuration when it starts); names and addresses are read by every service and
 * are handed to each pod when it is made (pkg/injector), and so is whether mTLS is on at all.
 */
const readers: Record<SettingName, readonly Reader[]> = {
  enabled: ['sidecars'],
  workloadCertTTL: ['sentry'],
  allowedClockSkew: ['sentry'],
  controlPlaneTrustDomain: ['control-plane', 'sidecars'],
  sentryAddress: ['control-plane', 'sidecars'],
};

/** The services that read these settings when they start. */
export function servicesThatRead(settings: readonly Pick<Setting, 'name'>[]): readonly ControlPlaneService[] {
  const found = settings.flatMap(({ name }) => readers[name]);
  if (found.includes('control-plane')) return controlPlaneServices;
  return found.includes('sentry') ? controlPlaneServices.filter(({ name }) => name === sentryName) : [];
}

/** Nobody has to follow then. @param name of the Configuration */
export function describeUnchanged(name: string): string {
  return `Nothing is written: these settings stand in ${name} already.`;
}

/** What is left for people to do, a sentence each. @param isRestarted whether the services were restarted */
export function describeFollowers(settings: readonly Pick<Setting, 'name'>[], isRestarted: boolean): string[] {
  const services = isRestarted ? [] : servicesThatRead(settings);
  const haveSidecars = settings.some(({ name }) => readers[name].includes('sidecars'));
  return [
    ...(services.length === 0
      ? []
      : [
          `Restart ${services.length === 1 ? 'Sentry: it reads' : 'the control plane: it reads'} its Configuration only when it starts. \`--restart\` does it.`,
        ]),
    ...(haveSidecars
      ? ['Sidecars are told when their pod is made. Re-create them: `dapr-mtls restart -k --apps -A`.']
      : []),
  ];
}
