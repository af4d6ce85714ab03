import type { JsonObject } from "./engine.ts";

/** Objects in one another that are kept; a sighting puts the event three deep, and a bus takes 64. */
const deepest = 40;
/** UTF-16 units of all of an event's texts and keys. The bus takes 1 MiB, the indicator included. */
const roomForAll = 256 * 1024;
/** Of one text. */
const longestText = 64 * 1024;
const cut = "…";

/**
 * An event as a bus takes it: no `__proto__`, no halves of surrogate pairs, nothing nested endlessly, not too large. What is in the way is left out
 * or cut, and ends in `…`; nearly every event comes out as it went in.
 */
export function presentable(event: JsonObject): JsonObject {
  return new Presenter().object(event, 0);
}

class Presenter {
  #room = roomForAll;

  object(value: object, depth: number): JsonObject {
    const result: Record<string, unknown> = {};
    for (const [name, inner] of Object.entries(value)) {
      if (name === "__proto__" || this.#room <= 0) continue;
      result[this.#text(name)] = this.#value(inner, depth + 1);
    }
    return result;
  }

  #value(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.#text(value);
    this.#room -= 8;
    if (typeof value !== "object" || value === null) return value;
    if (depth >= deepest || this.#room <= 0) return cut;
    if (!Array.isArray(value)) return this.object(value, depth);
    const list: unknown[] = [];
    for (const inner of value as unknown[]) {
      if (this.#room <= 0) break;
      list.push(this.#value(inner, depth + 1));
    }
    return list;
  }

  #text(text: string): string {
    const most = Math.min(longestText, Math.max(this.#room, 0));
    const kept = wellFormed(text.length > most ? text.slice(0, most) + cut : text);
    this.#room -= kept.length;
    return kept;
  }
}

/** Without halves of surrogate pairs, which are no text to a bus. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, "\ufffd");
}
