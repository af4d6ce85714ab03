import { basename } from "node:path";
import type { JsonObject } from "../../engine.ts";
import { eventTime, millisecondsOf } from "../../event-time.ts";
import type { PresetName } from "../../fields.ts";
import { presets } from "../../fields.ts";

/** Milliseconds since 1970 of the event; undefined if it tells none. Text without a zone is UTC. */
export function timeOf(event: JsonObject, preset: PresetName | undefined): number | undefined {
  const time = eventTime(preset === undefined ? (event["ts"] ?? event["timestamp"] ?? event["time"]) : event[presets[preset].time]);
  return time === undefined ? undefined : millisecondsOf(time);
}

/** What kind of event it is: `suricata.dns`, `zeek.conn` (by the name of its file, if it does not say so itself), `ocsf.dns_activity`. */
export function schemaOf(event: JsonObject, preset: PresetName | undefined, path: string): string | undefined {
  if (preset === undefined) return undefined;
  const given = event[presets[preset].type];
  const type = typeof given === "string" && /^[\w .-]{1,64}$/.test(given) ? given : preset === "zeek" ? /^[a-z0-9_]+/.exec(basename(path))?.[0] : undefined;
  return type === undefined ? preset : `${preset}.${type.toLowerCase().replaceAll(" ", "_")}`;
}
