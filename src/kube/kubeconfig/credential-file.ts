import { readFileSync } from 'node:fs';
import { DaprMtlsError, isSystemError } from '../../errors.ts';

/** @throws DaprMtlsError `cluster.credentials`, naming the file and the field that leads to it */
export function readCredentialFile(path: string, field: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new DaprMtlsError('cluster.credentials', {
      message:
        error.code === 'ENOENT'
          ? `${field} names ${path}, and there is no such file`
          : `${field} names ${path}, which cannot be read (${error.code})`,
      hint: 'Put the file there, or correct the field in the kubeconfig.',
      cause: error,
    });
  }
}
