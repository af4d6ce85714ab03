export { EngineError } from "./engine.ts";
export type { Engine, EngineHost, Hit, JsonObject, Live, LiveSession, Retro, RetroBounds, RetroEnd, Watched } from "./engine.ts";
export { keyOf, observableAt, observableKinds, observableOf, observableOfKey, observablesOf, readDomain, urlParts } from "./observable.ts";
export type { Observable, ObservableKind, Observables, Skipped, SkipReason, UrlParts } from "./observable.ts";
