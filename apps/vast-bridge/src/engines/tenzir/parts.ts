import type { Clock } from "@threatbus/core";
import type { Client } from "./client.ts";
import type { TenzirOptions } from "./options.ts";
import type { Tables } from "./tables.ts";
import type { Spelling } from "./tql.ts";

/** What the parts of the engine share. */
export interface Parts {
  readonly options: TenzirOptions;
  readonly client: Client;
  readonly tables: Tables;
  readonly spelling: Spelling;
  readonly clock: Clock;
  /** Ends everything. */
  readonly stopping: AbortSignal;
}
