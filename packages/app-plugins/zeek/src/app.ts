import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type App, type Bus, type Host, ThreatbusError } from "@threatbus/core";
import { bindError } from "./listening.ts";
import { Members } from "./members.ts";
import type { Terms } from "./native/conversation.ts";
import { dialler } from "./native/dialler.ts";
import { Listener } from "./native/listener.ts";
import { newPeerId } from "./native/peer-id.ts";
import { type Credentials, dialTls, readCredentials } from "./native/tls.ts";
import type { ZeekOptions } from "./options.ts";
import { webSocketClient } from "./websocket/client.ts";
import { BridgeServer } from "./websocket/server.ts";
import type { WebSocketTerms } from "./websocket/terms.ts";
import { Troubles } from "./troubles.ts";

/** Milliseconds between two looks at what is due, at most. */
const period = 1_000;

/** Something that connects Zeeks, ended with the app. */
interface Transport {
  start(): Promise<void> | void;
  stop(): Promise<void>;
  /** Sees after connections that have been silent for `interval` ms. */
  tend(interval: number): void;
}

export function createZeek(options: ZeekOptions, host: Host): App {
  const ended = new AbortController();
  const transports: Transport[] = [];
  let members: Members | undefined;
  let starting: Promise<void> = Promise.resolve();
  let stopped: Promise<void> | undefined;

  async function open(bus: Bus): Promise<void> {
    host.signal.throwIfAborted();
    const credentials = await readCredentials(options.tls);
    const troubles = new Troubles(host);
    members = new Members(bus, host, options, troubles);
    const terms: Terms = {
      self: newPeerId(), filter: [options.management_topic, options.sighting_topic], host, troubles, reception: members,
      maxFrame: options.max_frame_size, handshakeTimeout: options.handshake_timeout * 1_000,
    };
    if (options.listen) {
      const address = await resolve(options.host);
      warnOfStrangers(address, credentials);
      transports.push(new Listener({ address, port: options.port, credentials, maxConnections: options.max_connections, terms }));
    }
    for (const { host: name, port, tls } of options.peers) {
      transports.push(dialler({ host: name, port, terms, ...(tls !== "off" && { tls: dialTls(tls, credentials) }) }));
    }
    const webTerms: WebSocketTerms = {
      topics: terms.filter, host, troubles, reception: members, maxMessage: options.max_frame_size, handshakeTimeout: terms.handshakeTimeout,
    };
    for (const each of options.websocket) transports.push(webSocketClient(each, credentials, webTerms));
    if (options.bridge !== undefined) {
      const bridgeAddress = await resolve(options.bridge.host);
      warnOfStrangers(bridgeAddress, {});
      transports.push(new BridgeServer(options.bridge, bridgeAddress, options.max_connections, webTerms));
    }
    for (const transport of transports) {
      if (stopped !== undefined) throw new ThreatbusError("BUS_NOT_RUNNING", "stopped while starting");
      await transport.start();
    }
    void tend(members);
    const stopping = (): void => void members?.dismiss();
    host.signal.addEventListener("abort", stopping, { once: true });
    ended.signal.addEventListener("abort", () => host.signal.removeEventListener("abort", stopping));
  }

  function warnOfStrangers(address: string, { cert }: Credentials): void {
    if (cert !== undefined || address.startsWith("127.") || address === "::1") return;
    host.logger.warn("anyone who can reach this address gets every indicator and can report sightings: listen on loopback, or set tls (native peers)", { address });
  }

  async function tend(all: Members): Promise<void> {
    const interval = options.ping_interval * 1_000;
    while (!ended.signal.aborted) {
      await host.clock.sleep(Math.min(period, interval / 2), ended.signal);
      all.tend();
      for (const transport of transports) transport.tend(interval);
    }
  }

  async function close(): Promise<void> {
    ended.abort();
    await starting;
    const results = await Promise.allSettled(transports.splice(0).map((transport) => transport.stop()));
    await members?.stop();
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  return {
    async start(bus) {
      const opening = open(bus);
      starting = opening.catch(() => undefined);
      try {
        await opening;
      } catch (thrown) {
        await close();
        throw thrown;
      }
      if (options.listen) host.logger.info("Zeeks may connect", { host: options.host, port: options.port });
    },
    stop: () => (stopped ??= close()),
  };
}

/** @throws ThreatbusError `ADDRESS_INVALID` */
async function resolve(name: string): Promise<string> {
  if (name === "*") return "0.0.0.0";
  if (isIP(name) !== 0) return name;
  try {
    return (await lookup(name)).address;
  } catch (cause) {
    throw bindError(cause as NodeJS.ErrnoException, "", name, 0);
  }
}
