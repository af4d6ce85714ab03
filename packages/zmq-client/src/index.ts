export { connect } from "./client.ts";
export { clientErrorCodes, ZmqClientError } from "./errors.ts";
export type { Client, SnapshotResponder } from "./client.ts";
export type { ClientErrorCode, ClientErrorDetails } from "./errors.ts";
export type {
  BusIndicator, BusMessage, BusSighting, Publishable, RawMessage, Received, SnapshotEnvelope, SnapshotRequest,
} from "./messages.ts";
export type { Gap } from "./sequence.ts";
export type { ConnectOptions, CurveKeys, Logger } from "./settings.ts";
export type { SnapshotAnswer } from "./snapshots.ts";
export type { SubscribeOptions, Subscription, SubscriptionState, SubscriptionStats } from "./subscription.ts";
export type { Reply } from "./wire.ts";
export type { Indicator, Sighting, StixObject, Timestamp } from "stix2-ts-types";
