import type { IntelOperation } from "./intel/intel.ts";
import type { ZeekEvent } from "./wire/event.ts";
import { readable, string, timestamp, type Value, vector } from "./wire/value.ts";

/** What a Zeek may ask for, or tell. */
export type Request =
  /** `separate`: its script keeps several indicators of one value apart. `seconds` of history. */
  | { readonly kind: "subscribe"; readonly topic: string; readonly seconds: number; readonly separate: boolean }
  /** `topic` is that of the acknowledgement; empty when there is nothing to unsubscribe from. */
  | { readonly kind: "unsubscribe"; readonly topic: string }
  | { readonly kind: "sighting"; readonly args: readonly Value[] };

/** The feature a script names as third argument of `subscribe`, see `separate`. */
const separateFeature = "separate";
/** A hundred years, in seconds: more than the bus takes. */
const longestSnapshot = 36_525n * 86_400n;

/**
 * The events between Zeek's script and this side, with the module's name before them as in the script. On the way in it may be left out, as the first
 * Threat Bus allowed.
 */
export class Protocol {
  readonly #prefix: string;

  constructor(namespace: string) {
    this.#prefix = `${namespace}::`;
  }

  acknowledgement(topic: string): ZeekEvent {
    return { name: `${this.#prefix}subscription_acknowledged`, args: [string(topic)] };
  }

  /** One argument: the record `Intelligence` of five fields. */
  intel({ operation, id, type, value, created }: IntelOperation): ZeekEvent {
    return { name: `${this.#prefix}intel`, args: [vector([timestamp(created), string(id), string(type), string(value), string(operation)])] };
  }

  /** Undefined for events that are none of ours, `"arguments"` for those whose arguments are not what they should be. */
  read({ name, args }: ZeekEvent): Request | "arguments" | undefined {
    switch (name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : name) {
      case "subscribe":
        return subscribeOf(args);
      case "unsubscribe": {
        const topic = textOf(args[0]);
        return args.length !== 1 || topic === undefined ? "arguments" : { kind: "unsubscribe", topic };
      }
      case "sighting":
        return { kind: "sighting", args };
      default:
        return undefined;
    }
  }
}

function subscribeOf(args: readonly Value[]): Request | "arguments" {
  const [first, span, features] = args;
  const topic = textOf(first);
  if (args.length < 2 || args.length > 3 || topic === undefined || span?.type !== "timespan") return "arguments";
  if (features !== undefined && features.type !== "vector" && features.type !== "set") return "arguments";
  const separate = features?.value.some((feature) => textOf(feature) === separateFeature) ?? false;
  return { kind: "subscribe", topic, seconds: secondsOf(span.value), separate };
}

/** How far back, whichever sign it has: the first Threat Bus's guide wrote `-30 days`. */
function secondsOf(nanoseconds: bigint): number {
  const seconds = (nanoseconds < 0n ? -nanoseconds : nanoseconds) / 1_000_000_000n;
  return Number(seconds < longestSnapshot ? seconds : longestSnapshot);
}

function textOf(value: Value | undefined): string | undefined {
  return value?.type === "string" && value.value.length <= 4_096 ? readable(value.value) : undefined;
}
