import type { ClusterAddress } from '../port.ts';

/** Everything that a client needs in order to reach one cluster as one user. */
export interface Access {
  readonly address: ClusterAddress;
  /** May end in a path under which the API is served. */
  readonly url: URL;
  readonly tls: TlsSettings;
  readonly proxyUrl: URL | undefined;
  /** Of impersonation. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly credentials: Credentials;
}

export interface TlsSettings {
  /** PEM. */
  readonly ca: Buffer | undefined;
  /** PEM: whom the machine trusts, where there is no `ca`. Undefined: whom Node trusts. */
  readonly machineRoots?: Buffer | undefined;
  readonly serverName: string | undefined;
  readonly insecure: boolean;
}

/** What proves to the server who asks. */
export interface Login {
  readonly authorization?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** PEM, the chain below the client's own certificate included. */
  readonly certificate: Buffer;
  readonly key: Buffer;
}

export interface Credentials {
  /** For the next request. @throws DaprMtlsError `cluster.credentials` */
  current(): Login | Promise<Login>;
  /**
   * After a 401; absent where asking again would bring the same.
   * @param refused the login that was answered with it: several requests may have used it at once
   * @throws DaprMtlsError `cluster.credentials`
   */
  renew?(refused: Login): Promise<Login>;
}
