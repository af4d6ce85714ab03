import type { Delivery } from "./delivery.ts";

/** Objects remembered at least; beyond it the oldest are forgotten, and could come twice. */
const most = 200_000;
/** Later than any time. */
const removed = "removed";

/** Which objects a subscription has had while its snapshot is under way, by id and version (`modified`). */
export class Recall {
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  /** Whether an object was here before: live and in the snapshot, or in the answers of two hosts. Remembers it. */
  repeats({ content, history }: Delivery): boolean {
    if (!content.topic.startsWith("stix2/")) return false;
    const object = content.raw as unknown as Readonly<Record<string, unknown>>;
    const id = object["id"] as string;
    const version = typeof object["modified"] === "string" ? sortable(object["modified"]) : "";
    const before = this.#young.get(id) ?? this.#old.get(id);
    if (history) {
      // History never brings back what was removed, nor an older version than the one already had.
      if (before !== undefined && version <= before) return true;
    } else {
      const update = object["x_threatbus_update"];
      if (update === undefined && before === version) return true;
      if (update === "REMOVE") return this.#remember(id, removed);
    }
    return this.#remember(id, version);
  }

  #remember(id: string, version: string): false {
    if (this.#young.size >= most) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(id, version);
    return false;
  }
}

/** A timestamp with nine decimals and no `Z`, so that times compare as texts, to the last digit. */
function sortable(time: string): string {
  return (time.includes(".") ? time.slice(0, -1) : `${time.slice(0, -1)}.`).padEnd(29, "0");
}
