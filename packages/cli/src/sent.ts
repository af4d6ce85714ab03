import { createHash } from "node:crypto";
import type { Message } from "@threatbus/core";
import type { Client, Subscription } from "@threatbus/zmq-client";

/** Told what became of a message. */
export type Tell = (where: string, outcome: "seen" | "unseen") => void;

/** Messages on their way to the bus, until they come back through a subscription of our own. */
export class Sent {
  /** By content, which tells messages apart: places that sent it and still wait. */
  readonly #underWay = new Map<string, { readonly where: string[]; deadline: number }>();
  readonly #subscription: Subscription;
  /** Milliseconds. */
  readonly #patience: number;
  readonly #tell: Tell;
  #count = 0;
  #changed: () => void = () => undefined;

  private constructor(subscription: Subscription, patience: number, tell: Tell) {
    this.#subscription = subscription;
    this.#patience = patience;
    this.#tell = tell;
  }

  /** Watches everything that the bus carries. @throws ZmqClientError */
  static async through(client: Client, patience: number, tell: Tell): Promise<Sent> {
    const sent = new Sent(await client.subscribe(["stix2/", "sigma/", "yara/"]), patience, tell);
    void sent.#watch();
    return sent;
  }

  expect(where: string, { payload }: Message): void {
    const key = keyOf(payload);
    const entry = this.#underWay.get(key) ?? { where: [], deadline: 0 };
    entry.where.push(where);
    entry.deadline = Date.now() + this.#patience;
    this.#underWay.set(key, entry);
    this.#count++;
  }

  /** The latest of this content was not sent after all. */
  forget({ payload }: Message): void {
    const key = keyOf(payload);
    const entry = this.#underWay.get(key);
    if (entry?.where.pop() === undefined) return;
    if (entry.where.length === 0) this.#underWay.delete(key);
    this.#count--;
  }

  /** Resolves when at most `left` are under way, be it because their time is up. */
  async settled(left: number): Promise<void> {
    while (this.#count > left) {
      const [oldest] = this.#underWay;
      const rest = (oldest?.[1].deadline ?? 0) - Date.now();
      if (oldest !== undefined && rest <= 0) this.#end(oldest[0], "unseen");
      else await this.#change(rest);
    }
  }

  async #watch(): Promise<void> {
    for await (const { payload } of this.#subscription) this.#end(keyOf(payload), "seen");
  }

  #end(key: string, outcome: "seen" | "unseen"): void {
    const entry = this.#underWay.get(key);
    const where = entry?.where.shift();
    if (entry === undefined || where === undefined) return;
    if (entry.where.length === 0) this.#underWay.delete(key);
    this.#count--;
    this.#tell(where, outcome);
    this.#changed();
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function keyOf(payload: Uint8Array): string {
  return createHash("sha256").update(payload).digest("base64");
}
