import { refuse } from "./refusal.ts";
import { count, string, vector, type Value } from "./value.ts";

/**
 * A Zeek event: `[format 1, type 1, [name, arguments, metadata?]]` (zeek/broker `libbroker/broker/zeek.hh`). Zeek 6.0 to 7.2 and native peers of
 * 8.x send metadata (empty in 8.x), its Cluster WebSocket server and Broker's Python bindings leave it out.
 */
export interface ZeekEvent {
  /** With its namespace: `Tenzir::intel`. */
  readonly name: string;
  readonly args: readonly Value[];
  readonly metadata?: readonly Value[];
}

/** Undefined for messages of another kind: logs, identifiers, batches. @throws WireRefused for what is no message of Zeek */
export function eventOf(value: Value): ZeekEvent | undefined {
  const [format, kind, content] = value.type === "vector" ? value.value : refuse("not a vector");
  if (format?.type !== "count" || kind?.type !== "count" || format.value !== 1n) refuse("not in Zeek's event format 1");
  if (kind.value !== 1n) return undefined;
  const [name, args, metadata] = content?.type === "vector" ? content.value : refuse("an event without content");
  if (name?.type !== "string" || typeof name.value !== "string") refuse("an event without name");
  if (args?.type !== "vector") refuse("an event without arguments");
  if (metadata === undefined) return { name: name.value, args: args.value };
  return metadata.type === "vector" ? { name: name.value, args: args.value, metadata: metadata.value } : refuse("an event's metadata is no vector");
}

export function valueOf({ name, args, metadata }: ZeekEvent): Value {
  const content = [string(name), vector(args)];
  if (metadata !== undefined) content.push(vector(metadata));
  return vector([count(1n), count(1n), vector(content)]);
}

/** What Zeek 7.2.0 to 8.0.0 wrap values of type `any` in when they stand within others (zeek#4754). */
const wrapping = "zeek::Broker::detail::DataVal";

/** The value inside Zeek's wrapping of `any`, wherever it stands; other values as they are. */
export function unwrap(value: Value): Value {
  switch (value.type) {
    case "vector": {
      const inner = wrapped(value.value);
      return inner === undefined ? vector(value.value.map(unwrap)) : unwrap(inner);
    }
    case "set":
      return { type: "set", value: value.value.map(unwrap) };
    case "table":
      return { type: "table", value: value.value.map(([key, item]) => [unwrap(key), unwrap(item)]) };
    default:
      return value;
  }
}

/** `[[wrapping, value]]` or `[wrapping, value]`. */
function wrapped(items: readonly Value[]): Value | undefined {
  const [first, second] = items;
  if (items.length === 1 && first?.type === "vector" && first.value.length === 2) return wrapped(first.value);
  return items.length === 2 && first?.type === "string" && first.value === wrapping ? second : undefined;
}
