import type { Clock } from "@threatbus/core";
import type { PeerId } from "./peer-id.ts";
import type { Peering } from "./peering.ts";

/** Milliseconds a peering has to show that it lives when its peer connects once more. */
const proof = 1_000;

/** The peerings that stand, one of each peer. */
export class Peers {
  readonly #standing = new Map<PeerId, Peering>();
  readonly #deciding = new Set<PeerId>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#standing.size;
  }

  /**
   * Whether a peer may connect: not while an earlier connection of the same peer is alive. One that does not answer within a second is dead without having
   * been noticed (a pulled cable), and makes room.
   */
  async admit(peer: PeerId, signal: AbortSignal): Promise<boolean> {
    if (this.#deciding.has(peer)) return false;
    this.#deciding.add(peer);
    signal.addEventListener("abort", () => this.#deciding.delete(peer), { once: true });
    const earlier = this.#standing.get(peer);
    if (earlier?.open !== true) return true;
    earlier.ping();
    const alive = await Promise.race([earlier.sign(), this.#clock.sleep(proof, signal).then(() => false)]);
    if (alive) {
      this.#deciding.delete(peer);
      return false;
    }
    earlier.drop();
    return true;
  }

  add(peering: Peering, gone: AbortSignal): void {
    this.#deciding.delete(peering.peer);
    this.#standing.set(peering.peer, peering);
    gone.addEventListener("abort", () => {
      if (this.#standing.get(peering.peer) === peering) this.#standing.delete(peering.peer);
    }, { once: true });
  }

  /**
   * Asks those that were silent for `interval` ms, or were sent something, for a sign of life, and ends those that were asked and silent for three times as
   * long.
   */
  tend(interval: number): void {
    for (const peering of this.#standing.values()) {
      if (peering.asked && peering.silence >= 3 * interval) peering.drop();
      else if (peering.silence >= interval || (peering.unconfirmed > 0 && !peering.asked)) peering.ping();
    }
  }
}
