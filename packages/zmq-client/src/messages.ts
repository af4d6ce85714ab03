import type { Indicator, Sighting, StixObject } from "stix2-ts-types";

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
export type BusMessage = ReceivedAs<StixObject> | ReceivedAs<SnapshotRequest> | ReceivedAs<SnapshotEnvelope> | Received<"rule", string>;

/** Content with its topic already chosen: rules (`sigma/rule`, `yara/rule`), or JSON that need not be parsed to be sent. */
export interface RawMessage {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}

/** Objects go to the topic of their type. */
export type Publishable = StixObject | SnapshotEnvelope | RawMessage;
