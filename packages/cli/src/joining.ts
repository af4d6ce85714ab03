import { readFile } from "node:fs/promises";
import type { Client, CurveKeys } from "@threatbus/zmq-client";
import type { Command } from "commander";
import { exitCodes, UserError } from "@threatbus/program";
import { configOf, type GlobalOptions } from "./options.ts";

/** Where a bus is, and the keys to its door. */
export interface JoinOptions {
  readonly host?: string;
  readonly manage?: number;
  readonly serverKey?: string;
  readonly keyFile?: string;
}

type Values = Readonly<Record<string, unknown>>;

/** Options of the commands that join a bus. */
export function addJoinOptions(command: Command): Command {
  return command
    .option("--host <host>", "name or address of the bus (default: of -c's plugins.apps.zmq, else 127.0.0.1)")
    .option("--manage <port>", "its management port (default: of -c's plugins.apps.zmq, else 13370)", portOption)
    .option("--server-key <key>", "public CURVE key of the bus, for encrypted connections")
    .option("--key-file <file>", "our own CURVE keys, made by threatbus keygen (default: a new pair)");
}

/** Joins the bus that the options name. @throws UserError; ZmqClientError if no bus answers */
export async function join(options: JoinOptions & GlobalOptions, signal: AbortSignal): Promise<Client> {
  const configured = options.config === undefined ? {} : zmqSection((await configOf(options)).values);
  const host = options.host ?? reachable(configured["host"]);
  const manage = options.manage ?? (typeof configured["manage"] === "number" ? configured["manage"] : 13_370);
  const curve = await curveKeys(options, configured["curve"]);
  const { connect } = await import("@threatbus/zmq-client");
  try {
    return await connect({ host, manage, signal, ...(curve === undefined ? {} : { curve }) });
  } catch (error) {
    if (signal.aborted || !(error instanceof Error) || !("code" in error) || (error.code !== "CONNECTION_FAILED" && error.code !== "REQUEST_TIMEOUT")) throw error;
    throw new UserError(exitCodes.unavailable, `no bus answers at ${host}:${manage}`, "is one running? --host and --manage say where; a bus with CURVE needs --server-key and --key-file");
  }
}

function zmqSection(values: Values): Values {
  const plugins = values["plugins"] as { readonly apps?: { readonly zmq?: Values | null } } | undefined;
  return plugins?.apps?.zmq ?? {};
}

/** A bus that binds to every interface is on this one. */
function reachable(host: unknown): string {
  return typeof host !== "string" || ["*", "0.0.0.0", "::", "[::]"].includes(host) ? "127.0.0.1" : host.replace(/^\[(.*)\]$/, "$1");
}

async function curveKeys({ serverKey, keyFile }: JoinOptions, configured: unknown): Promise<CurveKeys | undefined> {
  const busFile = typeof configured === "object" && configured !== null ? (configured as Values)["secret_key_file"] : undefined;
  const server = serverKey ?? (typeof busFile === "string" ? (await readKeys(busFile)).publicKey : undefined);
  if (server === undefined) {
    if (keyFile === undefined) return undefined;
    throw new UserError(exitCodes.usage, "--key-file needs --server-key, the public key of the bus");
  }
  if (server.length !== 40) throw new UserError(exitCodes.usage, "--server-key takes the 40 characters that threatbus keygen prints");
  return { serverKey: server, ...(keyFile === undefined ? {} : await readKeys(keyFile)) };
}

async function readKeys(path: string): Promise<{ publicKey: string; secretKey: string }> {
  const text = await readFile(path, "utf8").catch(() => {
    throw new UserError(exitCodes.noInput, `${path} cannot be read`);
  });
  const key = (name: string): string | undefined => new RegExp(`^\\s*${name}\\s*=\\s*"(.{40})"\\s*$`, "m").exec(text)?.[1];
  const [publicKey, secretKey] = [key("public-key"), key("secret-key")];
  if (publicKey === undefined || secretKey === undefined) throw new UserError(exitCodes.noInput, `${path} holds no key pair`, "threatbus keygen writes one");
  return { publicKey, secretKey };
}

export function portOption(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new UserError(exitCodes.usage, "a port is a whole number from 1 to 65535");
  return port;
}

/** Reads a whole number of at least 1. */
export function countOption(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UserError(exitCodes.usage, "a count is a whole number of at least 1");
  return Number(text);
}

/** Reads `30d`, `6w` or `12h` as days, which the protocol counts in; parts of a day count as one. */
export function daysOption(text: string): number {
  const [, digits, unit] = /^(\d{1,6})([hdwy]?)$/.exec(text) ?? [];
  const days = Math.ceil(Number(digits) * ({ h: 1 / 24, d: 1, w: 7, y: 365 }[unit === "" ? "d" : (unit ?? "")] ?? Number.NaN));
  if (!(days >= 1 && days <= 36_500)) throw new UserError(exitCodes.usage, "a time span is a number of days, hours, weeks or years up to 100 years: 30d, 12h, 6w, 1y");
  return days;
}

/** Reads seconds. */
export function secondsOption(text: string): number {
  const seconds = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds <= 0) throw new UserError(exitCodes.usage, "seconds are a number above 0");
  return seconds;
}
