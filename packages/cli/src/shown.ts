import type { BusMessage } from "@threatbus/zmq-client";
import { printable, printableJson } from "@threatbus/program";

type Values = Readonly<Record<string, unknown>>;

/** What a line says of a type of message; others show their name. */
const details: ReadonlyMap<string, (body: Values) => unknown> = new Map<string, (body: Values) => unknown>([
  ["indicator", (body) => body["pattern"]],
  ["sighting", (body) => body["x_threatbus_indicator_value"] ?? nested(body["x_threatbus_indicator"], "pattern") ?? body["sighting_of_ref"]],
]);

/** Characters of a pattern, name or title in one line. */
const longest = 300;

/** One line for people, without anything that could steer their terminal. */
export function lineOf(message: BusMessage, time: Date): string {
  const clock = time.toISOString().slice(11, 23);
  if (message.type === "rule") return `${clock}  rule       ${short(ruleTitle(message.body))}\n`;
  const body = message.body as unknown as Values;
  const update = typeof body["x_threatbus_update"] === "string" ? ` (${body["x_threatbus_update"]})` : "";
  const detail = details.get(message.type)?.(body) ?? body["name"] ?? body["value"] ?? "";
  return `${clock}  ${printable(message.type).padEnd(9)}  ${short(detail)}${short(update)}  ${short(body["id"] ?? "")}\n`;
}

/** One line of JSON: the object, or a rule as `{"type":"rule","body":"…"}`. */
export function jsonOf({ type, body }: BusMessage): string {
  return `${printableJson(type === "rule" ? { type, body } : body)}\n`;
}

/** The title of a Sigma rule, or the first rule of YARA source. */
function ruleTitle(text: string): string {
  const title = /^title[ \t]*:[ \t]*(.{1,300})$/m.exec(text)?.[1];
  return title === undefined ? `YARA ${/^\s*(?:(?:private|global)\s+)*rule\s+(\w{1,128})/m.exec(text)?.[1] ?? "source"}` : `Sigma ${title}`;
}

function nested(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Values)[name] : undefined;
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : value === undefined ? "" : printableJson(value);
  return printable(text.length > longest ? `${text.slice(0, longest)}…` : text);
}
