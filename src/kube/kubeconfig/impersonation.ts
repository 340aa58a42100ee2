import { DaprMtlsError } from '../../errors.ts';
import type { UserEntry } from './document.ts';
import { toHeaderValue } from './header-value.ts';

/**
 * The headers of `as`, `as-uid`, `as-groups` and `as-user-extra`.
 * @throws DaprMtlsError `cluster.kubeconfig` where anything of it is set without `as`, `cluster.credentials` for
 * what no header can hold
 */
export function impersonationHeaders(user: UserEntry | undefined): Record<string, string | readonly string[]> {
  if (!user) return {};
  const { user: name, uid, groups, extra } = user.impersonate;
  const extras = Object.entries(extra);
  if (name === undefined) {
    if (uid === undefined && groups.length + extras.length === 0) return {};
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `${user.file}: as-uid, as-groups or as-user-extra stand there without as`,
      hint: 'Name the user to impersonate in `as`, or remove the others.',
    });
  }
  return {
    'Impersonate-User': toHeaderValue(name, `${user.file}: as`),
    ...(uid !== undefined && { 'Impersonate-Uid': toHeaderValue(uid, `${user.file}: as-uid`) }),
    ...(groups.length > 0 && { 'Impersonate-Group': toHeaderValues(groups, `${user.file}: as-groups`) }),
    ...Object.fromEntries(
      extras.map(([key, values]) => [
        `Impersonate-Extra-${encodeHeaderKey(key)}`,
        toHeaderValues(values, `${user.file}: as-user-extra`),
      ]),
    ),
  };
}

function toHeaderValues(texts: readonly string[], what: string): string[] {
  return texts.map((text) => toHeaderValue(text, what));
}

/** Lower case with what no header name may hold escaped, as in client-go. */
function encodeHeaderKey(key: string): string {
  return key
    .toLowerCase()
    .replace(/[^a-z0-9!#$&'*+.^_`|~-]/g, (character) =>
      [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
    );
}
