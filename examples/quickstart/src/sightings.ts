import type { Message } from "@threatbus/core";
import type { BusSighting } from "@threatbus/zmq-client";
import { printable, type Screen } from "./screen.ts";

/** Sightings that are spelled out at most until all are. */
const most = 20;

/** Sightings as @threatbus/vast-bridge makes them; from others, what they have of it. */
interface Seen extends BusSighting {
  readonly x_threatbus_match?: { readonly value: string; readonly kind: string; readonly field?: string; readonly schema?: string };
}

/** Spells out sightings for a person. */
export class Sightings {
  readonly #screen: Screen;
  /** What one was spelled out for; undefined if all are. */
  #told: Set<string> | undefined = new Set();

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** The first of each kind of observable, in the past and live; the others are only counted. */
  async tell({ body }: Message): Promise<void> {
    const { id, x_threatbus_match: match, x_threatbus_match_type: type = "", last_seen = "at an unknown time" } = body as Seen;
    const kind = `${type} ${match?.kind}`;
    if (this.#told?.has(kind) === true || (this.#told?.size ?? 0) >= most) return;
    this.#told?.add(kind);
    const what = match === undefined ? id : `${short(match.value)} (${match.kind}) in ${match.field} of ${match.schema}`;
    this.#screen.say(printable(`sighting  ${type.padEnd(5)} ${what}, ${last_seen}`));
  }

  /** From now on, whatever comes. */
  tellAll(): void {
    this.#told = undefined;
  }
}

function short(value: string): string {
  return value.length > 40 ? `${value.slice(0, 39)}…` : value;
}
