import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** PEM files, valid for two days. */
export interface Certificates {
  /** Of the authority that signed the two certificates. */
  readonly caFile: string;
  /** The server's: for `localhost` and 127.0.0.1. */
  readonly certFile: string;
  readonly keyFile: string;
  /** A client's: `CN=threatbus-client`. */
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
}

/** Extensions, by section. One file of our own, because what is the default differs between builds of OpenSSL. */
const extensions = `[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
`;

/** Makes an authority, and a certificate of it for a server and for a client, with the `openssl` command. */
export async function certificates(folder: string): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  const config = join(folder, "openssl.cnf");
  await writeFile(config, extensions);
  const openssl = (...args: readonly string[]): Promise<unknown> => run("openssl", args, { cwd: folder });
  const key = (file: string): string[] => ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file];
  await openssl("req", "-config", config, "-x509", ...key("ca.key"), "-out", "ca.pem", "-days", "2", "-subj", "/CN=Threat Bus test authority", "-extensions", "authority");
  for (const [section, name] of [["server", "localhost"], ["client", "threatbus-client"]] as const) {
    await openssl("req", "-config", config, ...key(`${section}.key`), "-out", `${section}.csr`, "-subj", `/CN=${name}`);
    await openssl("x509", "-req", "-in", `${section}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
      "-extfile", config, "-extensions", section, "-out", `${section}.pem`);
  }
  return {
    caFile: join(folder, "ca.pem"),
    certFile: join(folder, "server.pem"),
    keyFile: join(folder, "server.key"),
    clientCertFile: join(folder, "client.pem"),
    clientKeyFile: join(folder, "client.key"),
  };
}
