import type { Bus, Host } from "@threatbus/core";
import type { Link, LinkOwner } from "./link.ts";
import { Member } from "./member.ts";
import type { MemberSetup } from "./member-setup.ts";
import type { ZeekOptions } from "./options.ts";
import { Protocol } from "./protocol.ts";
import { Reports } from "./reports.ts";
import type { Troubles } from "./troubles.ts";

/** Milliseconds that Zeeks which are away keep the bus from stopping. */
const farewell = 1_000;

/** All Zeeks that are there, or were a moment ago, by what names their process. */
export class Members {
  readonly #setup: MemberSetup;
  readonly #members = new Map<string, Member>();

  constructor(bus: Bus, host: Host, options: ZeekOptions, troubles: Troubles) {
    const { metrics } = host;
    this.#setup = {
      bus, host, options, troubles,
      protocol: new Protocol(options.module_namespace),
      reports: new Reports(bus, host, troubles),
      counters: {
        ADD: metrics.counter("zeek_intel", { operation: "ADD" }), REMOVE: metrics.counter("zeek_intel", { operation: "REMOVE" }), indicators: metrics.counter("zeek_indicators"),
        repeated: metrics.counter("zeek_repeated"), maybeLost: metrics.counter("zeek_maybe_lost"),
      },
    };
    const count = (which: (member: Member) => boolean) => (): number => [...this.#members.values()].filter(which).length;
    metrics.gauge("zeek_connected", count(({ link }) => link !== undefined));
    metrics.gauge("zeek_subscribed", count(({ subscribed }) => subscribed));
    metrics.gauge("zeek_indicators_known", () => [...this.#members.values()].reduce((sum, { known }) => sum + known, 0));
  }

  /** Takes a connection in; an earlier one of the same Zeek is ended. */
  readonly take = (link: Link): LinkOwner | undefined => {
    const { host, options } = this.#setup;
    if (host.signal.aborted) return undefined;
    let member = this.#members.get(link.identity);
    if (member === undefined) {
      if (this.#members.size >= options.max_connections && !this.#makeRoom()) return undefined;
      this.#members.set(link.identity, (member = new Member(this.#setup)));
    }
    const earlier = member.link;
    const taken = member;
    taken.attach(link);
    void earlier?.close();
    host.logger.info("a Zeek is connected", { remote: link.remote });
    return {
      received: (topic, event) => {
        if (topic.startsWith(options.management_topic) || topic.startsWith(options.sighting_topic)) taken.received(link, event);
      },
      closed: () => {
        taken.detach(link);
        host.logger.info("a Zeek is gone", { remote: link.remote });
      },
    };
  };

  /** Once a second: removes what is no longer valid, forgets Zeeks that stay away. */
  tend(): void {
    for (const [identity, member] of this.#members) {
      if (member.link !== undefined) member.expire();
      else if (!member.subscribed || member.absence >= this.#setup.options.grace * 1_000) this.#forget(identity, member);
    }
  }

  /** The bus begins to stop: Zeeks that are away get a moment to come back for what waits for them. */
  async dismiss(): Promise<void> {
    await this.#setup.host.clock.sleep(farewell);
    for (const [identity, member] of this.#members) if (member.link === undefined) this.#forget(identity, member);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.end()));
    this.#members.clear();
    await this.#setup.reports.drained();
  }

  #makeRoom(): boolean {
    for (const [identity, member] of this.#members) {
      if (member.link !== undefined) continue;
      this.#forget(identity, member);
      return true;
    }
    return false;
  }

  #forget(identity: string, member: Member): void {
    this.#members.delete(identity);
    void member.end();
  }
}
