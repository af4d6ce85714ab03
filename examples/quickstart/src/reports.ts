import type { BusIndicator, BusSighting } from "@threatbus/zmq-client";

/** What the app tells its parent. */
export type AppReport =
  /** Subscribed, with so many log events to look in. */
  | { readonly event: "joined"; readonly events: number }
  /** Done with an indicator, the sightings of it included; so many are known now. */
  | { readonly event: "indicator"; readonly key: string; readonly known: number }
  /** Handed to the bus. */
  | { readonly event: "sighting"; readonly key: string }
  | { readonly event: "failed"; readonly reason: string };

/** Tells one message from another: what happened to which version of which object. */
export function keyOf(object: BusIndicator | BusSighting): string {
  const update = object.type === "indicator" ? (object.x_threatbus_update ?? "ADD") : "SEEN";
  return `${update} ${object.id} ${object.modified}`;
}
