import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsSettings } from "./contract.ts";
import { KafkaFault } from "./faults.ts";
import type { PemSource, TlsProperties } from "./properties.ts";

/** Reads the files. @throws KafkaFault `locked_out`, naming the setting whose file is missing or no certificate or key */
export async function readTls({ ca, cert, key, passphrase, verify, checkHost }: TlsProperties): Promise<TlsSettings> {
  if ((cert === undefined) !== (key === undefined)) throw new KafkaFault("locked_out", "`ssl.certificate.location` and `ssl.key.location` belong together");
  const [caText, certText, keyText] = await Promise.all([ca, cert, key].map(read));
  const secrets = {
    ...(caText !== undefined && { ca: caText }),
    ...(certText !== undefined && { cert: certText }),
    ...(keyText !== undefined && { key: keyText }),
    ...(passphrase !== undefined && { passphrase }),
  };
  try {
    createSecureContext(secrets);
  } catch (thrown) {
    const { code = "" } = thrown as NodeJS.ErrnoException;
    const hint = code === "ERR_OSSL_BAD_DECRYPT" ? "check `ssl.key.password`" : "`ssl.ca.location`, `ssl.certificate.location` and `ssl.key.location` are PEM files; the last two belong together";
    throw new KafkaFault("locked_out", `the certificates or the key cannot be used: ${(thrown as Error).message}`, { hint, cause: thrown });
  }
  return { ...secrets, rejectUnauthorized: verify, checkHost };
}

async function read(source: PemSource | undefined): Promise<string | undefined> {
  if (source?.file === undefined) return source?.text;
  try {
    return await readFile(source.file, "utf8");
  } catch (thrown) {
    throw new KafkaFault("locked_out", `the file of \`${source.property}\` cannot be read`, { hint: `${(thrown as NodeJS.ErrnoException).code}: ${source.file}`, cause: thrown });
  }
}
