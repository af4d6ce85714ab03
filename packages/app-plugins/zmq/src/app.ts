import { type App, type Bus, type Host, ThreatbusError } from "@threatbus/core";
import { Context, context as shared } from "zeromq";
import type { Router, Socket } from "zeromq";
import { bind, release, resolveHost } from "./address.ts";
import { Egress } from "./egress.ts";
import { Ingress } from "./ingress.ts";
import { type KeyPair, readAuthorizedKeys, readKeyPair } from "./keys.ts";
import { serveManage } from "./manage.ts";
import type { ZmqOptions } from "./options.ts";
import { Sessions } from "./sessions.ts";
import { openManage, openPub, openSub } from "./sockets.ts";
import { Gatekeeper } from "./zap.ts";

export function createZmq(options: ZmqOptions, host: Host): App {
  /** What to close, in the order it was opened. */
  const opened: (() => void | Promise<void>)[] = [];
  let stopped: Promise<void> | undefined;

  async function close(): Promise<void> {
    for (let end = opened.pop(); end !== undefined; end = opened.pop()) await end();
  }

  async function open(bus: Bus): Promise<void> {
    host.signal.throwIfAborted();
    const address = await resolveHost(options.host);
    // One gatekeeper per context: with CURVE it must be our own.
    const context = options.curve === undefined ? shared : new Context({ blocky: false });
    const keys = await admit(context);
    const setup = { context, ipv6: address.ipv6, keys };
    const keep = <Kind extends Socket>(socket: Kind): Kind => {
      opened.push(() => release(socket, host.clock));
      return socket;
    };
    const manage = keep(openManage(setup));
    const pub = keep(openPub(setup, options.max_message_size));
    const sub = keep(openSub(setup, options.max_message_size));
    await bind(manage, address, options.manage, "manage");
    await bind(pub, address, options.pub, "pub");
    await bind(sub, address, options.sub, "sub");
    if (stopped !== undefined) throw new ThreatbusError("BUS_NOT_RUNNING", "stopped while starting");
    if (keys === undefined && !address.loopback) {
      host.logger.warn("anyone who can reach these ports can read and publish: bind to loopback, or set curve", { host: options.host });
    }
    const egress = new Egress(pub, host.clock);
    const sessions = new Sessions(bus, host, options, egress);
    serve(manage, egress, sessions, new Ingress(sub, bus, host, () => sessions.behind));
  }

  /** With CURVE, only listed apps connect. */
  async function admit(context: Context): Promise<KeyPair | undefined> {
    if (options.curve === undefined) return undefined;
    const keys = await readKeyPair(options.curve.secret_key_file);
    const refused = host.metrics.counter("zmq_connections_refused");
    const gatekeeper = new Gatekeeper(context, await readAuthorizedKeys(options.curve.authorized_keys_file), () => refused.add());
    opened.push(() => gatekeeper.stop());
    await gatekeeper.start();
    return keys;
  }

  function serve(manage: Router, egress: Egress, sessions: Sessions, ingress: Ingress): void {
    const ended = new AbortController();
    opened.push(() => ended.abort());
    egress.start(sessions);
    ingress.start();
    void serveManage(manage, sessions, options, host);
    void sweep(sessions, ended.signal);
    const stopping = (): void => {
      ingress.stop();
      void sessions.dismiss();
    };
    host.signal.addEventListener("abort", stopping, { once: true });
    opened.push(() => host.signal.removeEventListener("abort", stopping));
  }

  async function sweep(sessions: Sessions, signal: AbortSignal): Promise<void> {
    const { attach_timeout, grace, heartbeat_timeout } = options;
    const period = Math.min(1_000, Math.max(25, Math.min(attach_timeout, grace, heartbeat_timeout) * 250));
    while (!signal.aborted) {
      await host.clock.sleep(period, signal);
      sessions.sweep();
    }
  }

  return {
    async start(bus) {
      try {
        await open(bus);
      } catch (thrown) {
        await close();
        throw thrown;
      }
      host.logger.info("apps may subscribe", { host: options.host, manage: options.manage, pub: options.pub, sub: options.sub });
    },
    stop: () => (stopped ??= close()),
  };
}
