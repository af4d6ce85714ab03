import type { Body, SnapshotEnvelope, SnapshotRequest, Topic } from "./contract.ts";
import { parseJson, parseText } from "./json-guard.ts";
import { refuse } from "./refuse.ts";
import { checkStix, isFields } from "./stix-check.ts";

/** One row of the table of what may travel. `check` throws `MESSAGE_REFUSED`. */
interface Format {
  parse(payload: Uint8Array): unknown;
  /** Checks a body and says under which topic it travels: the content decides, not the label. */
  check(body: unknown): Topic;
  encode(body: Body): string;
}

/** Hundred years, in seconds. */
export const longestSnapshot: number = 100 * 365.25 * 86_400;

const stix2: Format = {
  parse: parseJson,
  check(body) {
    checkStix(body);
    const type: string = body.type;
    return type === "indicator" ? "stix2/indicator" : type === "sighting" ? "stix2/sighting" : `stix2/${type}`;
  },
  encode: JSON.stringify,
};

/** A Sigma rule: YAML with a title and a detection (or a correlation). The YAML itself is the receiver's to parse. */
const sigma: Format = rules("sigma/rule", [/^title[ \t]*:/m, /^(?:detection|correlation)[ \t]*:/m], "a Sigma rule has a title and a detection");

/** YARA source: at least one rule with a condition. The expressions take linear time on anything. */
const yara: Format = rules("yara/rule", [/\brule\s+[A-Za-z_]\w{0,127}\s*[:{]/, /\bcondition\s*:/], "YARA source has a rule with a condition");

const threatbus: Format = {
  parse: parseJson,
  check(body) {
    if (!isFields(body)) refuse("type", "not an object");
    if (body["snapshot_type"] !== 1 && body["snapshot_type"] !== 2) refuse("value", "snapshot_type is neither 1 nor 2");
    const id = body["snapshot_id"];
    if (typeof id !== "string" || id === "" || id.length > 256) refuse("id", "snapshot_id is no string of 1 to 256 characters");
    if (body["type"] === "snapshotrequest") return checkRequest(body as unknown as SnapshotRequest);
    if (body["type"] === "snapshotenvelope") return checkEnvelope(body as unknown as SnapshotEnvelope);
    return refuse("type", "type is neither snapshotrequest nor snapshotenvelope");
  },
  encode: JSON.stringify,
};

/** JSON that came without a topic, as from the hosts of the first Threat Bus over a broker. */
const unlabelled: Format = { parse: parseJson, check: (body) => formatFor(body).check(body), encode: JSON.stringify };

const formats: ReadonlyMap<string, Format> = new Map(Object.entries({ stix2, sigma, yara, threatbus }));

/** The format a topic names. */
export function formatOf(topic: Topic): Format {
  if (topic === "stix2/indicator" || topic === "stix2/sighting") return stix2;
  if (topic === "") return unlabelled;
  const slash = topic.indexOf("/");
  return (slash > 0 ? formats.get(topic.slice(0, slash)) : undefined) ?? refuse("topic", "no such format of messages");
}

/** The format of a body that comes without a topic. */
export function formatFor(body: unknown): Format {
  const type = isFields(body) ? body["type"] : undefined;
  return type === "snapshotrequest" || type === "snapshotenvelope" ? threatbus : stix2;
}

function rules(topic: Topic, needed: readonly RegExp[], words: string): Format {
  return {
    parse: parseText,
    check(body) {
      if (typeof body !== "string" || !needed.every((part) => part.test(body))) refuse("rule", words);
      return topic;
    },
    encode: (body) => body as string,
  };
}

function checkRequest(request: SnapshotRequest): Topic {
  const span = request.snapshot;
  if (typeof span !== "number" || !(span >= 0 && span <= longestSnapshot)) refuse("value", "snapshot is no number of seconds up to 100 years");
  return "threatbus/snapshotrequest";
}

function checkEnvelope(envelope: SnapshotEnvelope): Topic {
  checkStix(envelope.body);
  if (envelope.body.type !== (envelope.snapshot_type === 1 ? "indicator" : "sighting")) refuse("type", "body is not of the snapshot's type");
  return "threatbus/snapshotenvelope";
}
