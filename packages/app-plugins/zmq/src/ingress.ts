import type { Buffer } from "node:buffer";
import { setImmediate as immediate } from "node:timers/promises";
import { type Bus, type Clock, type Counter, decodeMessage, type Host, isThreatbusError } from "@threatbus/core";
import type { Subscriber } from "zeromq";
import { Refusals } from "./refusals.ts";

/** What apps send. Anything else ends in the socket. */
const prefixes = ["stix2/", "threatbus/snapshotenvelope", "sigma/rule", "yara/rule"];
const space = 0x20;
/** Bytes of the longest topic. */
const longestTopic = 255;
/** Messages taken in before what goes out, and the rest of the process, gets its turn. */
const turn = 64;
/** Messages the bus may be busy with at once. A broker takes its time to confirm each. */
const window = 1_000;

/** The `sub` port: takes messages from apps, and publishes what can be understood, in the order it came. */
export class Ingress {
  readonly #socket: Subscriber;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #crowded: () => boolean;
  readonly #accepted: Counter;
  readonly #refusals: Refusals;
  #inFlight = 0;
  #room: (() => void) | undefined;

  /** @param crowded whether what is taken in now would have to be dropped on the way out */
  constructor(socket: Subscriber, bus: Bus, host: Host, crowded: () => boolean) {
    this.#socket = socket;
    this.#bus = bus;
    this.#clock = host.clock;
    this.#crowded = crowded;
    this.#accepted = host.metrics.counter("zmq_accepted");
    this.#refusals = new Refusals(host);
  }

  start(): void {
    this.#socket.subscribe(...prefixes);
    void this.#receive();
  }

  /** Takes in nothing more. */
  stop(): void {
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    for (let taken = 1; !this.#socket.closed; taken++) {
      try {
        this.#take(await this.#socket.receive());
      } catch {
        // Garbage on the wire makes a receive fail, which says nothing about the next.
        await immediate();
      }
      if (taken % turn === 0) {
        await immediate();
        while (!this.#socket.closed && this.#crowded()) await this.#clock.sleep(1);
      }
      if (this.#inFlight >= window) await new Promise<void>((resolve) => (this.#room = resolve));
    }
  }

  #take(frames: readonly Buffer[]): void {
    const [frame] = frames;
    const end = frame === undefined ? -1 : frame.indexOf(space);
    if (frame === undefined || frames.length !== 1 || end < 0 || end > longestTopic) return this.#refusals.add("frame");
    const topic = frame.toString("latin1", 0, end);
    let message;
    try {
      message = decodeMessage(topic, frame.subarray(end + 1));
    } catch (thrown) {
      const known = isThreatbusError(thrown, "MESSAGE_REFUSED");
      return this.#refusals.add((known ? thrown.reason : undefined) ?? "unknown", known ? thrown.message : undefined);
    }
    // Apps answer snapshots; they ask for one with their subscription.
    if (message.topic === "threatbus/snapshotrequest") return this.#refusals.add("topic", "a snapshot is asked for with a subscription");
    this.#inFlight++;
    this.#bus.publish(message).then(this.#onTaken, this.#onFailed);
  }

  readonly #onTaken = (): void => {
    this.#accepted.add();
    this.#settle();
  };

  readonly #onFailed = (thrown: unknown): void => {
    this.#refusals.add(isThreatbusError(thrown) ? thrown.code : "unknown", "the bus did not take it");
    this.#settle();
  };

  #settle(): void {
    this.#inFlight--;
    this.#room?.();
    this.#room = undefined;
  }
}
