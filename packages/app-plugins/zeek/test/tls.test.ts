import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isThreatbusError } from "@threatbus/core";
import { freePort } from "@threatbus/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { encodeHandshake } from "../src/native/handshake-message.ts";
import { eventually } from "./eventually.ts";
import { FakeZeek, lowId } from "./fake-zeek.ts";
import { wsServer } from "./fake-ws-zeek.ts";
import { indicator, stand } from "./stand.ts";

const hello = encodeHandshake({ type: "hello", sender: lowId, minVersion: 1, maxVersion: 1 });
/** What Zeek's OpenSSL settles on without certificates. */
const cipher = ["-tls1_2", "-cipher", "AECDH-AES256-SHA:@SECLEVEL=0"];

/** Runs OpenSSL's command; returns what it wrote so far. */
function openssl(...args: readonly string[]): { child: ChildProcess; read(): Buffer } {
  const child = spawn("openssl", args, { stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let written = Buffer.alloc(0);
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (written = Buffer.concat([written, chunk])));
  return { child, read: () => written };
}

describe("TLS without certificates, as Zeek comes, beside OpenSSL's own command", () => {
  it("is served", async () => {
    const { port } = await stand();
    const { child, read } = openssl("s_client", "-connect", `127.0.0.1:${port}`, "-groups", "P-384", ...cipher);
    await eventually(() => read().includes("Cipher is AECDH-AES256-SHA"), true);
    child.stdin?.write(hello);
    // Its answer: a hello with an id that begins with ff.
    await eventually(() => read().includes(Buffer.from("00000017065a45454bff", "hex")), true);
  });

  it("is dialled", async () => {
    const port = await freePort();
    const { read } = openssl("s_server", "-accept", `127.0.0.1:${port}`, "-nocert", "-groups", "P-384", ...cipher);
    await eventually(() => read().includes("ACCEPT"), true);
    await stand({ listen: false, peers: [{ host: "127.0.0.1", port }] });
    await eventually(() => read().includes(Buffer.from("00000017065a45454bff", "hex")), true);
    expect(String(read())).toMatch(/CIPHER is AECDH-AES256-SHA/);
  });

  it("is not what a client with certificates in mind gets", async () => {
    const { port, host } = await stand();
    openssl("s_client", "-connect", `127.0.0.1:${port}`);
    await eventually(() => host.count("zeek_connections_refused", { reason: "tls" }), 1);
  });
});

describe("TLS with certificates", () => {
  let folder = "";
  const path = (name: string): string => join(folder, name);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "threatbus-zeek-"));
    const run = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    for (const ca of ["ca", "other-ca"]) run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${ca}.key`, "-out", `${ca}.pem`, "-subj", `/CN=${ca}`, "-days", "2");
    for (const [name, ca] of [["bus", "ca"], ["zeek", "ca"], ["stranger", "other-ca"]] as const) {
      run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1");
      run("x509", "-req", "-in", `${name}.csr`, "-CA", `${ca}.pem`, "-CAkey", `${ca}.key`, "-CAcreateserial", "-out", `${name}.pem`, "-days", "2", "-copy_extensions", "copy");
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const own = () => ({ certificate_file: path("bus.pem"), key_file: path("bus.key"), ca_file: path("ca.pem") });
  const as = (name: string) => ({ cert: readFileSync(path(`${name}.pem`)), key: readFileSync(path(`${name}.key`)), ca: readFileSync(path("ca.pem")), rejectUnauthorized: false });

  it("lets in who has one of the same CA", async () => {
    const { bus, port } = await stand({ tls: own() });
    const zeek = await FakeZeek.peered(port, { tls: as("zeek") });
    await zeek.subscribe();
    await bus.publish(indicator(1));
    expect(await zeek.intel(1)).toEqual(["ADD ADDR 10.0.0.1"]);
  });

  it("keeps out who has none, one of another CA, and who speaks no TLS", async () => {
    const { port, host } = await stand({ tls: own() });
    for (const tls of [{ rejectUnauthorized: false }, as("stranger"), undefined]) {
      const zeek = await FakeZeek.dial(port, tls === undefined ? {} : { tls });
      zeek.say({ type: "hello", sender: zeek.id, minVersion: 1, maxVersion: 1 });
      await zeek.gone;
      expect(await zeek.frame()).toBeUndefined();
    }
    await eventually(() => host.count("zeek_connections_refused", { reason: "tls" }), 3);
  });

  it("dials with them, and checks the other side's", async () => {
    for (const [name, accepted] of [["zeek", true], ["stranger", false]] as const) {
      const port = await freePort();
      const { read } = openssl("s_server", "-accept", `127.0.0.1:${port}`, "-cert", path(`${name}.pem`), "-key", path(`${name}.key`), "-CAfile", path("ca.pem"), "-Verify", "1");
      await eventually(() => read().includes("ACCEPT"), true);
      const { host } = await stand({ listen: false, tls: own(), peers: [{ host: "127.0.0.1", port, tls: "certificates" }] });
      if (accepted) await eventually(() => read().includes(Buffer.from("00000017065a45454bff", "hex")), true);
      else await eventually(() => host.entries.some(({ fields }) => /certificate/.test(String(fields["reason"]))), true);
    }
  });

  it("are checked of a WebSocket server", async () => {
    const server = await wsServer({ tls: { cert: readFileSync(path("zeek.pem")), key: readFileSync(path("zeek.key")) } });
    await stand({ listen: false, tls: { ca_file: path("ca.pem") }, websocket: [{ url: server.url }] });
    expect(await (await server.accept()).topics()).toHaveLength(2);
    const { host } = await stand({ listen: false, websocket: [{ url: server.url }] });
    await eventually(() => host.entries.some(({ fields }) => /certificate|issuer/.test(String(fields["reason"]))), true);
  });

  it("that are none are named", async () => {
    const failed = await stand({ tls: { ...own(), certificate_file: path("bus.key") } }).catch((thrown: unknown) => thrown);
    expect(isThreatbusError(failed, "OPTIONS_INVALID") && failed.message).toMatch(/certificate/);
  });

  it("that cannot be read are named", async () => {
    const failed = await stand({ tls: { ...own(), key_file: path("absent.key") } }).catch((thrown: unknown) => thrown);
    expect(isThreatbusError(failed, "OPTIONS_INVALID") && failed.message).toMatch(/tls\.key_file/);
  });
});
