import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type Clock, ThreatbusError } from "@threatbus/core";
import type { Socket } from "zeromq";
import { codeOf } from "./errno.ts";

export interface Address {
  /** As ZeroMQ writes it before the port: an IPv6 address in brackets. */
  readonly host: string;
  readonly ipv6: boolean;
  /** Whether only programs of this machine can reach it. */
  readonly loopback: boolean;
}

/** ZeroMQ binds to addresses only; names are looked up, IPv4 first, since apps connect by IPv4 unless told otherwise. */
export async function resolveHost(host: string): Promise<Address> {
  if (host === "*") return { host: "0.0.0.0", ipv6: false, loopback: false };
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  try {
    const found = await lookup(bare, { all: true });
    const { address, family } = found.find((each) => each.family === 4) ?? found[0] ?? { address: bare, family: isIP(bare) };
    const ipv6 = family === 6;
    return { host: ipv6 ? `[${address}]` : address, ipv6, loopback: ipv6 ? address === "::1" : address.startsWith("127.") };
  } catch (cause) {
    throw new ThreatbusError("ADDRESS_INVALID", `${host} is no address of this machine and no name that can be resolved`, {
      hint: "set plugins.apps.zmq.host",
      cause,
    });
  }
}

/** Milliseconds ZeroMQ may take to let go of a port. */
const patience = 1_000;

/** @throws ThreatbusError `PORT_IN_USE`, `ADDRESS_INVALID`, naming the option to change */
export async function bind(socket: Socket, { host }: Address, port: number, option: "manage" | "pub" | "sub"): Promise<void> {
  try {
    await socket.bind(`tcp://${host}:${port}`);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "EADDRINUSE") {
      throw new ThreatbusError("PORT_IN_USE", `port ${port} on ${host} is taken by another program`, {
        hint: `end that program, or choose another port: plugins.apps.zmq.${option}`,
        cause,
      });
    }
    throw new ThreatbusError("ADDRESS_INVALID", `${host}:${port} cannot be bound (${code})`, {
      hint:
        code === "EACCES"
          ? `ports below 1024 need a privilege; set plugins.apps.zmq.${option}`
          : "set plugins.apps.zmq.host to an address of this machine",
      cause,
    });
  }
}

/** Closes a socket; resolves when its port is free. What was sent may still leave. */
export async function release(socket: Socket, clock: Clock): Promise<void> {
  if (socket.closed) return;
  const { lastEndpoint, events } = socket;
  // Heard to the end, and never closed: with nobody to hear of a late event, ZeroMQ's thread would stand still for good.
  const free = new Promise<void>((resolve) => events.on("close", ({ address }) => (address === lastEndpoint ? resolve() : undefined)));
  socket.close();
  if (lastEndpoint === null) return;
  // ZeroMQ closes the listener in a thread of its own, some time after it was told to.
  const settled = new AbortController();
  await Promise.race([free, clock.sleep(patience, settled.signal)]);
  settled.abort();
}
