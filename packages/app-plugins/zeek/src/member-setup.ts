import type { Bus, Counter, Host } from "@threatbus/core";
import type { ZeekOptions } from "./options.ts";
import type { Protocol } from "./protocol.ts";
import type { Reports } from "./reports.ts";
import type { Troubles } from "./troubles.ts";

/** What all members share. */
export interface MemberSetup {
  readonly bus: Bus;
  readonly host: Host;
  readonly options: ZeekOptions;
  readonly protocol: Protocol;
  readonly reports: Reports;
  readonly troubles: Troubles;
  readonly counters: Readonly<Record<"ADD" | "REMOVE" | "indicators" | "repeated" | "maybeLost", Counter>>;
}
