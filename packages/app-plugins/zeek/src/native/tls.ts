import { readFile } from "node:fs/promises";
import type { ConnectionOptions, SecureContextOptions } from "node:tls";
import { ThreatbusError } from "@threatbus/core";
import type { TlsOptions } from "../options.ts";

/**
 * What Zeek speaks when it has no certificates, as it comes: encrypted, but nobody knows with whom (zeek/broker `internal/connector.cc`; seen on
 * 8.2.0). OpenSSL lets it pass only at security level 0.
 */
export const anonymousTls = {
  ciphers: "AECDH-AES256-SHA:@SECLEVEL=0",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
  ecdhCurve: "P-384",
} as const satisfies SecureContextOptions & { ecdhCurve: string };

/** The ciphers Broker takes with certificates. */
const certifiedCiphers = "HIGH:!aNULL:!MD5";

/** Contents of the files of `tls`. */
export interface Credentials {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

/** @throws ThreatbusError `OPTIONS_INVALID` for a file that cannot be read */
export async function readCredentials({ certificate_file, key_file, ca_file }: TlsOptions): Promise<Credentials> {
  const read = async (option: string, path: string | undefined): Promise<Buffer | undefined> => {
    if (path === undefined) return undefined;
    try {
      return await readFile(path);
    } catch (cause) {
      throw new ThreatbusError("OPTIONS_INVALID", `plugins.apps.zeek.tls.${option}: ${path} cannot be read`, { cause });
    }
  };
  const [cert, key, ca] = [await read("certificate_file", certificate_file), await read("key_file", key_file), await read("ca_file", ca_file)];
  return { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), ...(ca !== undefined && { ca }) };
}

/** Certificates on both sides, checked against the CA: what Zeek does when it has some (`Broker::ssl_certificate` and its like). */
export function certifiedTls(credentials: Credentials): Credentials & Pick<ConnectionOptions, "ciphers" | "requestCert" | "rejectUnauthorized"> {
  return { ...credentials, ciphers: certifiedCiphers, requestCert: true, rejectUnauthorized: true };
}

/** For dialling a native peer. Broker's certificates name no host: the CA alone decides. */
export function dialTls(kind: "anonymous" | "certificates", credentials: Credentials): ConnectionOptions {
  if (kind === "anonymous") return { ...anonymousTls, rejectUnauthorized: false };
  return { ...certifiedTls(credentials), checkServerIdentity: () => undefined };
}
