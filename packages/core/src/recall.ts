import type { Delivery } from "./delivery.ts";

/** Objects remembered; beyond it the oldest are forgotten, and could come twice. */
const most = 200_000;
const removed = "removed";

/** Which objects a subscription has had while its snapshot is under way, by id and version (`modified`). */
export class Recall {
  readonly #seen = new Map<string, string>();

  /** Whether an object was here before: live and in the snapshot, or in the answers of two hosts. Remembers it. */
  repeats({ content, history }: Delivery): boolean {
    if (!content.topic.startsWith("stix2/")) return false;
    const object = content.raw as unknown as Readonly<Record<string, unknown>>;
    const id = object["id"] as string;
    const version = typeof object["modified"] === "string" ? object["modified"] : "";
    const before = this.#seen.get(id);
    if (history) {
      // History never brings back what was removed, nor an older version than the one already had.
      if (before !== undefined && (before === removed || Date.parse(version) <= Date.parse(before))) return true;
    } else {
      const update = object["x_threatbus_update"];
      if (update === undefined && before === version) return true;
      if (update === "REMOVE") return this.#remember(id, removed);
    }
    return this.#remember(id, version);
  }

  #remember(id: string, version: string): false {
    this.#seen.delete(id);
    this.#seen.set(id, version);
    if (this.#seen.size > most) {
      const oldest = this.#seen.keys().next();
      if (oldest.done !== true) this.#seen.delete(oldest.value);
    }
    return false;
  }
}
