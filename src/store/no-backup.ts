import { DaprMtlsError } from '../errors.ts';
import type { StoreLocation } from './port.ts';

export function noBackup(wanted: string | undefined, place: string, kind: StoreLocation['kind']): DaprMtlsError {
  return new DaprMtlsError('file.missing', {
    message: wanted === undefined ? `there are no backups in ${place}` : `there is no backup ${wanted} in ${place}`,
    hint: `See which there are: \`dapr-mtls backup list${kind === 'cluster' ? ' -k' : ''}\`.`,
  });
}
