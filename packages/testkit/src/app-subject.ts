import type { ConfiguredApp } from "@threatbus/core";

export type AppTest =
  | "starts and stops on a bus"
  | "stops twice, at once and again"
  | "stops without having started"
  | "stops while it starts"
  | "stops when the stop signal had fired before it started"
  | "frees what it holds"
  | "starts again with the same options"
  | "shares nothing between instances"
  | "names itself when it cannot start"
  | "refuses invalid options"
  | "ends a snapshot on its signal"
  | "accounts for every message of a bus"
  | "writes nothing to the console";

/** An app under test. */
export interface AppSubject {
  readonly name: string;
  /** Each app can run beside those made before: ports are free ones. Called when the peer is there. */
  create(): ConfiguredApp | Promise<ConfiguredApp>;
  /** Starts what the app talks to, e.g. a feed; once for each test. */
  peer?(): Promise<Peer>;
  /** An app whose `start` must fail. Default: a second instance beside a running one, which finds its ports taken. */
  failing?(): ConfiguredApp | Promise<ConfiguredApp>;
  /** Calls that must be refused, e.g. `() => zmq({ pub: 80_000 })`. */
  readonly invalid?: readonly (() => unknown)[];
  /** Milliseconds to wait for anything that should happen. Default 60,000. */
  readonly patience?: number;
  /** What it cannot do, and why. */
  readonly cannot?: Readonly<Partial<Record<AppTest, string>>>;
}

export interface Peer {
  stop(): Promise<void>;
}

export function patienceOf({ patience }: AppSubject): number {
  return patience ?? 60_000;
}
