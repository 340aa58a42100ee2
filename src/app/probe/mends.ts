/** The mends that several checks share. */
export const mends = {
  repair: 'Make Secret and ConfigMap one bundle again: `dapr-mtls repair -k`.',
  restart: 'Let the control plane take the bundle of today: `dapr-mtls restart -k`.',
} as const;
