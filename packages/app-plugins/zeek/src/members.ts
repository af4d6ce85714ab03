import type { Bus, Host } from "@threatbus/core";
import type { Link, LinkOwner, Reception, Refusal } from "./link.ts";
import { Member } from "./member.ts";
import type { MemberSetup } from "./member-setup.ts";
import type { ZeekOptions } from "./options.ts";
import { Protocol } from "./protocol.ts";
import { Reports } from "./reports.ts";
import type { Troubles } from "./troubles.ts";

/** Milliseconds that Zeeks which are away keep the bus from stopping. */
const farewell = 1_000;
/** Milliseconds that a connection has to show that it lives when its Zeek connects once more. */
const proof = 2_000;
/** Milliseconds that it is remembered what a Zeek was told which does not come back. */
const memory = 86_400_000;

/** All Zeeks that are there, or were a while ago, by what names their process. */
export class Members implements Reception {
  readonly #setup: MemberSetup;
  readonly #members = new Map<string, Member>();
  /** Those of which a connection is on its way in, with its end. */
  readonly #arriving = new Map<string, AbortSignal>();

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
    metrics.gauge("zeek_subscribed", count(({ subscribed, away }) => subscribed && !away));
    metrics.gauge("zeek_indicators_known", () => [...this.#members.values()].reduce((sum, { known }) => sum + known, 0));
  }

  remoteOf(identity: string): string | undefined {
    return this.#members.get(identity)?.link?.remote;
  }

  /** Two connections of one Zeek would take turns in evicting each other: the one that is there stays, unless it is dead without having been noticed (a pulled cable). */
  admit(identity: string, signal: AbortSignal): Refusal | undefined | Promise<Refusal | undefined> {
    const { host, options } = this.#setup;
    if (host.signal.aborted || signal.aborted) return { kind: "stopping", reason: "the bus is stopping" };
    const member = this.#members.get(identity);
    if (this.#arriving.has(identity)) return { kind: "redundant", reason: "the same Zeek is just connecting" };
    if (member === undefined && this.#members.size >= options.max_connections && !this.#makeRoom()) return { kind: "full", reason: "there are too many Zeeks: raise max_connections" };
    this.#arriving.set(identity, signal);
    signal.addEventListener("abort", () => this.#arrived(identity, signal), { once: true });
    return member?.link === undefined ? undefined : this.#compare(identity, member.link, signal);
  }

  async #compare(identity: string, earlier: Link, signal: AbortSignal): Promise<Refusal | undefined> {
    const alive = await Promise.race([earlier.sign(), this.#setup.host.clock.sleep(proof, signal).then(() => false)]);
    if (!alive) return undefined;
    this.#arrived(identity, signal);
    return { kind: "redundant", reason: `the same Zeek is connected already, as ${earlier.remote}` };
  }

  #arrived(identity: string, signal: AbortSignal): void {
    if (this.#arriving.get(identity) === signal) this.#arriving.delete(identity);
  }

  take(link: Link): LinkOwner | undefined {
    const { host, options } = this.#setup;
    this.#arriving.delete(link.identity);
    if (host.signal.aborted) return undefined;
    let taken = this.#members.get(link.identity);
    if (taken === undefined) this.#members.set(link.identity, (taken = new Member(this.#setup)));
    const member = taken;
    const earlier = member.link;
    member.attach(link);
    void earlier?.close();
    host.logger.info("a Zeek is connected", { remote: link.remote });
    return {
      received: (topic, event) => {
        if (topic.startsWith(options.management_topic) || topic.startsWith(options.sighting_topic)) member.received(link, event);
      },
      closed: () => {
        member.detach(link);
        host.logger.info("a Zeek is gone", { remote: link.remote });
      },
    };
  }

  /** Once a second: removes what is no longer valid, keeps less for Zeeks that stay away. */
  tend(): void {
    const { grace, max_indicators } = this.#setup.options;
    for (const member of this.#members.values()) {
      if (member.link !== undefined) member.tend();
      else if (member.absence >= grace * 1_000) member.leave();
    }
    // All that are away may hold as much together as one that is there.
    let known = 0;
    for (const [identity, member] of this.#absent()) {
      known += member.known;
      if (!member.subscribed || member.absence >= memory || (member.away && known > max_indicators)) this.#forget(identity, member);
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
    const [identity, member] = this.#absent().at(-1) ?? [];
    if (identity === undefined || member === undefined) return false;
    this.#forget(identity, member);
    return true;
  }

  /** The Zeeks that are away, the longest last. */
  #absent(): [identity: string, member: Member][] {
    return [...this.#members].filter(([, { link }]) => link === undefined).sort(([, one], [, other]) => one.absence - other.absence);
  }

  #forget(identity: string, member: Member): void {
    this.#members.delete(identity);
    void member.end();
  }
}
