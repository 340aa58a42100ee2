/**
 * A kubeconfig as its file has it, in the shape of `k8s.io/client-go/tools/clientcmd/api/v1`. What
 * is not read here is not mentioned.
 */
export interface KubeconfigDocument {
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly users: ReadonlyMap<string, UserEntry>;
  readonly contexts: ReadonlyMap<string, ContextEntry>;
}

/** Where an entry was written: its relative paths start there, and errors name it. */
interface Written {
  readonly file: string;
}

export interface ClusterEntry extends Written {
  readonly server: string;
  readonly tlsServerName: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly certificateAuthority: string | undefined;
  readonly certificateAuthorityData: Buffer | undefined;
  readonly proxyUrl: string | undefined;
  /** Its extension for exec plugins, `client.authentication.k8s.io/exec`. */
  readonly execConfig: unknown;
}

export interface UserEntry extends Written {
  readonly clientCertificate: string | undefined;
  readonly clientCertificateData: Buffer | undefined;
  readonly clientKey: string | undefined;
  readonly clientKeyData: Buffer | undefined;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly impersonate: Impersonation;
  readonly exec: ExecEntry | undefined;
  readonly authProvider: AuthProviderEntry | undefined;
}

export interface Impersonation {
  readonly user: string | undefined;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface ExecEntry {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly installHint: string | undefined;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode: string | undefined;
}

export interface AuthProviderEntry {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

export interface ContextEntry extends Written {
  readonly cluster: string;
  readonly user: string;
  readonly namespace: string | undefined;
}
