import { readFile, stat, writeFile } from "node:fs/promises";
import { ThreatbusError } from "@threatbus/core";
import { curveKeyPair } from "zeromq";

export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** 40 characters of Z85, for 32 bytes. */
const z85 = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}(?!\S)/;

/**
 * Writes a new key pair to a file only its owner can read, in the format of CZMQ certificates, which pyzmq writes and reads too.
 * @returns the public key
 * @throws if the file exists
 */
export async function createKeyFile(path: string): Promise<string> {
  const { publicKey, secretKey } = curveKeyPair();
  await writeFile(path, `curve\n    public-key = "${publicKey}"\n    secret-key = "${secretKey}"\n`, { mode: 0o600, flag: "wx" });
  return publicKey;
}

/** @throws ThreatbusError `OPTIONS_INVALID` */
export async function readKeyPair(path: string): Promise<KeyPair> {
  const option = "curve.secret_key_file";
  const text = await read(option, path);
  if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) {
    throw invalid(option, `others than its owner can read ${path}`, `chmod 600 ${path}`);
  }
  const key = (name: string): string | undefined => new RegExp(`^\\s*${name}\\s*=\\s*"(.{40})"\\s*$`, "m").exec(text)?.[1];
  const [publicKey, secretKey] = [key("public-key"), key("secret-key")];
  if (publicKey === undefined || secretKey === undefined || !z85.test(publicKey) || !z85.test(secretKey)) {
    const problem = `${path} holds no public-key = "…" and secret-key = "…", each 40 characters of Z85`;
    throw invalid(option, problem, "write one with createKeyFile");
  }
  return { publicKey, secretKey };
}

/**
 * The accepted public keys: one at the start of a line, whatever follows it after a space is its owner's name. Lines that begin with `#`
 * and hold no key are comments.
 * @throws ThreatbusError `OPTIONS_INVALID`
 */
export async function readAuthorizedKeys(path: string): Promise<readonly Buffer[]> {
  const option = "curve.authorized_keys_file";
  const keys: Buffer[] = [];
  for (const [at, line] of (await read(option, path)).split(/\r?\n/).entries()) {
    const text = line.trim();
    if (z85.test(text)) keys.push(decodeZ85(text.slice(0, 40)));
    else if (text !== "" && !text.startsWith("#")) {
      throw invalid(option, `line ${at + 1} of ${path} begins with no key of 40 characters of Z85`);
    }
  }
  return keys;
}

/** Z85 is base 85 over four bytes, most significant first (ZeroMQ RFC 32). */
function decodeZ85(text: string): Buffer {
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let group = 0; group * 5 < text.length; group++) {
    let value = 0;
    for (const letter of text.slice(group * 5, group * 5 + 5)) value = value * 85 + digits.indexOf(letter);
    bytes.writeUInt32BE(value % 2 ** 32, group * 4);
  }
  return bytes;
}

const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

async function read(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new ThreatbusError("OPTIONS_INVALID", `plugins.apps.zmq.${option}: ${path} cannot be read`, { cause });
  }
}

function invalid(option: string, problem: string, hint?: string): ThreatbusError {
  return new ThreatbusError("OPTIONS_INVALID", `plugins.apps.zmq.${option}: ${problem}`, hint === undefined ? {} : { hint });
}
