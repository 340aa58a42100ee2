/** The mends that several checks share. */
export const mends = {
  repair:
    'Restart nothing. Make Secret and ConfigMap one bundle: `dapr-mtls repair -k --from secret` (or --from configmap, --from backup).',
  restart: 'Let the control plane take the bundle of today: `dapr-mtls restart -k`.',
  check: 'See what is wrong with the bundle: `dapr-mtls check -k`.',
} as const;
