import { connect as connectTcp } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { Redialler } from "../redialler.ts";
import { Conversation, type Terms } from "./conversation.ts";

export interface DialSetup {
  readonly host: string;
  readonly port: number;
  /** Absent: plain. */
  readonly tls?: ConnectionOptions;
  readonly terms: Terms;
}

/** Dials a Zeek that listens (`Broker::listen`). */
export function dialler({ host, port, tls, terms }: DialSetup): Redialler {
  const remote = `${tls === undefined ? "tcp" : "tls"}://${host}:${port}`;
  const dial = (): Conversation =>
    tls === undefined
      ? new Conversation(connectTcp({ host, port }), remote, terms, "connect")
      : new Conversation(connectTls({ ...tls, host, port }), remote, terms, "secureConnect");
  return new Redialler(remote, dial, terms);
}
