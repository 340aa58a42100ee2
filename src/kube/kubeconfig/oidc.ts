import { DaprMtlsError } from '../../errors.ts';
import type { Credentials, Login } from './access.ts';
import { readCredentialFile } from './credential-file.ts';
import { askJson } from './identity-provider.ts';
import { bearer } from './login.ts';
import { renewableCredentials } from './renewable.ts';
import type { Surroundings } from './surroundings.ts';
import { openTokenKeeper } from './token-keeper.ts';

type Settings = Readonly<Record<string, string>>;

/** A token that ends so soon is taken for ended: clocks differ. */
const marginMs = 10_000;

/**
 * The auth-provider `oidc`: the id-token while it lasts, then a new one for the refresh-token. Both
 * go back into the kubeconfig, as with kubectl: many providers let a refresh-token be used only once.
 * @param user its name in the file
 * @throws DaprMtlsError `cluster.kubeconfig`
 */
export function oidcCredentials(
  settings: Settings,
  user: string,
  file: string,
  surroundings: Surroundings,
): Credentials {
  for (const name of ['idp-issuer-url', 'client-id']) {
    if (settings[name]) continue;
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `${file}: the auth-provider oidc of the user "${user}" has no ${name}`,
      hint: 'Log in anew by the program that wrote this kubeconfig.',
    });
  }
  let latest = settings;
  const endsAt = ({ endsAtMs }: OidcLogin) => endsAtMs - marginMs;
  const hasEnded = (login: OidcLogin) => endsAt(login) <= surroundings.now().getTime();
  return renewableCredentials(async () => {
    const login = loginOf(latest['id-token']);
    if (login && !hasEnded(login)) return login;
    latest = await refresh(latest, user, file, surroundings);
    return loginOf(latest['id-token']) ?? { authorization: undefined, endsAtMs: 0 };
  }, hasEnded);
}

interface OidcLogin extends Login {
  readonly endsAtMs: number;
}

function loginOf(token: string | undefined): OidcLogin | undefined {
  if (!token) return undefined;
  return { authorization: bearer(token), endsAtMs: endOf(token) };
}

/** The claim `exp` of a JWT; 0 for what is none. */
function endOf(token: string): number {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      exp?: unknown;
    };
    return Number(claims.exp ?? 0) * 1000 || 0;
  } catch {
    return 0;
  }
}

async function refresh(settings: Settings, user: string, file: string, surroundings: Surroundings): Promise<Settings> {
  const refreshToken = settings['refresh-token'];
  if (!refreshToken) throw cannotRefresh(user, 'has ended, and there is no refresh-token');
  // Taken before the provider is asked: a token that is used up and cannot be kept is a lost login.
  const keeper = openTokenKeeper(file);
  try {
    const issuer = (settings['idp-issuer-url'] ?? '').replace(/\/$/, '');
    const ca = authorityOf(settings);
    const discovered = await askJson(`${issuer}/.well-known/openid-configuration`, { ca }, surroundings.env);
    const endpoint = discovered.token_endpoint;
    if (typeof endpoint !== 'string') throw cannotRefresh(user, `ends, and ${issuer} names no token_endpoint`);
    const answer = await askJson(endpoint, { ca, form: refreshForm(settings, refreshToken) }, surroundings.env);
    const { id_token: idToken, refresh_token: nextRefreshToken } = answer;
    if (typeof idToken !== 'string')
      throw cannotRefresh(user, `has ended, and ${issuer} gave no id_token for the refresh-token`);
    const renewed = {
      'id-token': idToken,
      ...(typeof nextRefreshToken === 'string' && nextRefreshToken && { 'refresh-token': nextRefreshToken }),
    };
    keeper.keep(user, renewed);
    return { ...settings, ...renewed };
  } finally {
    keeper.close();
  }
}

function refreshForm(settings: Settings, refreshToken: string): Record<string, string> {
  return {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: settings['client-id'] ?? '',
    ...(settings['client-secret'] && { client_secret: settings['client-secret'] }),
  };
}

function authorityOf(settings: Settings): Buffer | undefined {
  const data = settings['idp-certificate-authority-data'];
  if (data) return Buffer.from(data, 'base64');
  const file = settings['idp-certificate-authority'];
  return file ? readCredentialFile(file, 'idp-certificate-authority') : undefined;
}

function cannotRefresh(user: string, why: string): DaprMtlsError {
  return new DaprMtlsError('cluster.credentials', {
    message: `the id-token of the user "${user}" ${why}`,
    hint: 'Log in anew by the program that wrote this kubeconfig; it has to ask for the scopes openid and offline_access.',
  });
}
