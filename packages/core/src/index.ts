export type {
  App, AppPlugin, Backbone, BackbonePlugin, Body, Bus, Clock, Configured, ConfiguredApp, ConfiguredBackbone, Counter, Deliver, DropReason,
  Fields, Finding, Frame, Handler, Host, Logger, Message, Metrics, Overflow, Plugin, PluginKind, QueueLimits, SnapshotEnvelope, SnapshotRequest,
  SnapshotType, SubscribeOptions, Subscription, SubscriptionStats, Topic,
} from "./contract.ts";
export { createBus } from "./bus.ts";
export type { BusOptions, ThreatBus } from "./bus-options.ts";
export { contractRevision, defineApp, defineBackbone } from "./plugin.ts";
export type { Definition } from "./plugin.ts";
export { decodeMessage, message } from "./message.ts";
export { matches } from "./router.ts";
export { ThreatbusError, errorCodes, isThreatbusError, reasonOf } from "./errors.ts";
export type { ErrorCode, ErrorDetails, Issue, RefusalReason } from "./errors.ts";
export type { BusState, BusStats, SnapshotStats } from "./stats.ts";
export type { Sample } from "./metrics.ts";
export { MetricSet } from "./metrics.ts";
export { backoff } from "./backoff.ts";
export type { Backoff, BackoffOptions } from "./backoff.ts";
export { systemClock } from "./clock.ts";
export { lockFile } from "./file-lock.ts";
export type { FileLock } from "./file-lock.ts";
export { silentLogger, stderrLogger } from "./logger.ts";
export { isSecretName, redact } from "./redact.ts";
export { isTimestamp } from "./timestamp.ts";
export { defaultQueueLimits } from "./queue.ts";
export { Outbox, defaultOutboxLimits } from "./outbox.ts";
export type { Outgoing, OutboxLimits } from "./outbox.ts";
export { maxDepth, maxPayloadBytes, parseJson, parseText } from "./json-guard.ts";
export { maxPatternLength, parsePath, parsePattern } from "./pattern/parser.ts";
export { printPath, printPattern, quote } from "./pattern/print.ts";
export { canonicalPattern } from "./pattern/canonical.ts";
export { checkPattern } from "./pattern/check.ts";
export { pointIndicators, pointPattern } from "./pattern/point.ts";
export type { PointIndicator } from "./pattern/point.ts";
export type {
  BinaryLiteral, BooleanLiteral, Comparison, ComparisonChain, ComparisonExpression, ComparisonOperator, Existence, FloatLiteral, HexLiteral,
  IndexStep, IntegerLiteral, KeyStep, Literal, Membership, ObjectPath, Observation, ObservationChain, ObservationExpression, PathStep, Pattern,
  QualifiedExpression, Qualifier, Repeats, Span, StartStop, StringLiteral, TimestampLiteral, Within,
} from "./pattern/syntax.ts";
