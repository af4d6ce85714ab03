import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { Writable } from "node:stream";
import type { TLSSocketOptions } from "node:tls";
import { ThreatbusError, reasonOf } from "@threatbus/core";
import { connect } from "amqplib";
import type { ChannelModel, SocketOptions } from "amqplib";
import type { RabbitmqOptions } from "./options.ts";

/** Bytes the socket takes at a time, more than Node's own 16 KiB: that many messages go to the kernel in one call. */
const socketBuffer = 128 * 1024;

/** Milliseconds that an orderly end of a connection may take. */
const farewell = 1_000;

/** A connection to the broker that cannot take the process down, and can always be got rid of. */
export interface Connection {
  readonly model: ChannelModel;
  /** E.g. `3.10.8`; empty if the broker does not tell. */
  readonly version: string;
  /** Resolves with the reason when the connection is no more. */
  readonly ended: Promise<Error>;
  /** Says goodbye, but not for long. */
  close(): Promise<void>;
  /** Closes the socket at once. */
  destroy(): void;
}

/** @param purpose shown with the connection in the broker's own tools */
export async function openConnection(options: RabbitmqOptions, purpose: string, attempt: AbortSignal): Promise<Connection> {
  attempt.throwIfAborted();
  const life = new AbortController();
  const giveUp = (): void => life.abort();
  attempt.addEventListener("abort", giveUp);
  const { host: hostname, port, username, password, heartbeat } = options;
  // The heartbeat belongs here: among the options of the socket it would be ignored.
  const broker = { protocol: options.tls === undefined ? "amqp" : "amqps", hostname, port, vhost: encodeURIComponent(options.vhost), username, password, heartbeat };
  const socket: SocketOptions & { readonly signal: AbortSignal; readonly writableHighWaterMark: number } = {
    ...tlsOptions(options),
    noDelay: true,
    keepAlive: true,
    keepAliveDelay: 10_000,
    timeout: options.connect_timeout * 1_000,
    clientProperties: { connection_name: `threatbus ${purpose}` },
    signal: life.signal,
    writableHighWaterMark: socketBuffer,
  };
  try {
    const model = await connect(broker, socket);
    attempt.throwIfAborted();
    // Its types do not name the socket.
    gather((model.connection as unknown as { readonly stream: Writable }).stream);
    return wrap(model, life);
  } catch (thrown) {
    life.abort();
    throw thrown;
  } finally {
    attempt.removeEventListener("abort", giveUp);
  }
}

function wrap(model: ChannelModel, life: AbortController): Connection {
  let reason: Error | undefined;
  // Without a listener, an error would end the process. The end itself is told by `close`, which an operator's order sends alone.
  model.on("error", (error) => (reason ??= error));
  model.on("handler-error", (error) => (reason ??= error));
  const ended = new Promise<Error>((resolve) => model.on("close", (error) => resolve(reason ?? error ?? new Error("the broker closed the connection"))));
  // Nobody may hear of it any more, and a socket that is cut off would linger.
  void ended.then(() => life.abort());
  const destroy = (): void => life.abort();
  const properties: Readonly<Record<string, unknown>> = { ...model.connection.serverProperties };
  return {
    model,
    version: typeof properties["version"] === "string" ? properties["version"] : "",
    ended,
    async close() {
      const timer = setTimeout(destroy, farewell);
      // A socket that goes meanwhile leaves the closing without an answer.
      await Promise.race([model.close().catch(() => undefined), ended]);
      destroy();
      clearTimeout(timer);
    },
    destroy,
  };
}

/** The client writes message by message. What it writes in one turn leaves as one piece, which spares this host calls and the broker reads. */
function gather(stream: Writable): void {
  const write = stream.write.bind(stream) as (...given: unknown[]) => boolean;
  let gathering = false;
  stream.write = (...given: unknown[]): boolean => {
    if (!gathering) {
      gathering = true;
      stream.cork();
      process.nextTick(() => {
        gathering = false;
        stream.uncork();
      });
    }
    return write(...given);
  };
}

/** @throws ThreatbusError `OPTIONS_INVALID` when a file cannot be read */
function tlsOptions({ host, tls }: RabbitmqOptions): TLSSocketOptions & { servername?: string } {
  if (tls === undefined) return {};
  const read = (option: "ca_file" | "cert_file" | "key_file"): Buffer | undefined => {
    const path = tls[option];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (thrown) {
      throw new ThreatbusError("OPTIONS_INVALID", `tls.${option} cannot be read: ${reasonOf(thrown)}`, { issues: [{ path: ["tls", option], message: "cannot be read" }], cause: thrown });
    }
  };
  const [ca, cert, key] = [read("ca_file"), read("cert_file"), read("key_file")];
  return {
    rejectUnauthorized: tls.verify,
    // An address is no name that TLS could ask for (RFC 6066, section 3).
    servername: tls.server_name ?? (isIP(host) === 0 ? host : ""),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}
