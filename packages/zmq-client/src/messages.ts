import type { Indicator, Sighting, StixObject } from "stix2-ts-types";

/** An indicator as a bus carries it. */
export interface BusIndicator extends Indicator {
  /** `EDIT`: replaces what was known under this id. `REMOVE`: forget it; the pattern is the one to forget. Left out: new. */
  readonly x_threatbus_update?: "EDIT" | "REMOVE";
}

/** A sighting as a bus carries it. */
export interface BusSighting extends Sighting {
  /** The event that matched, as the tool gave it. */
  readonly x_threatbus_sighting_context?: Readonly<Record<string, unknown>>;
  /** The whole indicator that was sighted. */
  readonly x_threatbus_indicator?: Indicator;
  /** Its value alone, when the indicator is not known. */
  readonly x_threatbus_indicator_value?: string;
  readonly x_threatbus_match_type?: "LIVE" | "RETRO";
  /** The tool that reports, e.g. `VAST`. */
  readonly x_threatbus_source?: string;
}

/** Asks for the history of a time span. */
export interface SnapshotRequest {
  readonly type: "snapshotrequest";
  /** 1 indicators, 2 sightings. */
  readonly snapshot_type: 1 | 2;
  /** Chosen by the asker. */
  readonly snapshot_id: string;
  /** How far back, in seconds. */
  readonly snapshot: number;
}

/** One object of an answer to a {@link SnapshotRequest}. */
export interface SnapshotEnvelope {
  readonly type: "snapshotenvelope";
  readonly snapshot_type: 1 | 2;
  readonly snapshot_id: string;
  readonly body: Indicator | Sighting;
}

/** One message from the bus. */
export interface Received<Type extends string, Body> {
  /** What the body is: a STIX type, `rule` (Sigma or YARA: told apart by its text), `snapshotrequest` or `snapshotenvelope`. */
  readonly type: Type;
  /** Parsed JSON, or the text of a rule. The bus has checked it; here only that it is an object of this type. */
  readonly body: Body;
  /** The bytes it was read from. */
  readonly payload: Uint8Array;
}

type ReceivedAs<Body> = Body extends { readonly type: infer Type extends string } ? Received<Type, Body> : never;

/** Comparing `type` tells what `body` is. */
export type BusMessage =
  | ReceivedAs<BusIndicator | BusSighting | Exclude<StixObject, Indicator | Sighting>>
  | ReceivedAs<SnapshotRequest | SnapshotEnvelope>
  | Received<"rule", string>;

/** Content with its topic already chosen: rules (`sigma/rule`, `yara/rule`), or JSON that need not be parsed to be sent. */
export interface RawMessage {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}

/** Objects go to the topic of their type. */
export type Publishable = BusIndicator | BusSighting | StixObject | SnapshotEnvelope | RawMessage;
