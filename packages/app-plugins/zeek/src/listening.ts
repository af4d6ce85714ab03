import { once } from "node:events";
import type { DropArgument, Server, Socket } from "node:net";
import { ThreatbusError } from "@threatbus/core";
import type { Troubles } from "./troubles.ts";

/** Connections beyond the limit that are taken all the same, to be told why they cannot stay. */
const spare = 16;

export interface Listening {
  /** Prefix of the options concerned, e.g. `bridge.` */
  readonly option: string;
  readonly address: string;
  readonly port: number;
  readonly maxConnections: number;
  readonly troubles: Troubles;
}

/** Resolves when connections can come. @throws ThreatbusError `PORT_IN_USE`, `ADDRESS_INVALID` */
export async function listen(server: Server, { option, address, port, maxConnections, troubles }: Listening): Promise<void> {
  server.maxConnections = maxConnections + spare;
  server.on("drop", (dropped?: DropArgument) => {
    troubles.count("zeek_connections_refused", "there are far too many connections: one was refused; raise max_connections if they are Zeeks", { remote: dropped?.remoteAddress }, "full");
  });
  try {
    server.listen({ host: address, port });
    await once(server, "listening");
  } catch (error) {
    throw bindError(error as NodeJS.ErrnoException, option, address, port);
  }
  // A connection that could not be accepted, e.g. for want of descriptors, is no reason to end.
  server.on("error", (error) => troubles.warn("accept", "a connection could not be accepted", { reason: error.message }));
}

export function remoteOf(socket: Socket): string {
  const { remoteAddress = "?", remotePort = 0 } = socket;
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

export function bindError(error: NodeJS.ErrnoException, option: string, address: string, port: number): ThreatbusError {
  const where = `${address}:${port}`;
  if (error.code === "EADDRINUSE") {
    return new ThreatbusError("PORT_IN_USE", `plugins.apps.zeek.${option}port: ${where} is taken by another program`, { hint: "stop it, or set another port here and in Zeek", cause: error });
  }
  return new ThreatbusError("ADDRESS_INVALID", `plugins.apps.zeek.${option}host: ${where} cannot be bound`, { hint: "use an address of this machine", cause: error });
}
