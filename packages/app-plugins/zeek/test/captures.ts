import { readFileSync } from "node:fs";

/** A line of a recording: see captures/README.md. */
export interface Line {
  readonly n: number;
  readonly conn: number;
  readonly from: "zeek" | "peer";
  readonly t_ms: number;
  readonly hex?: string;
  readonly text?: string;
  readonly kind?: string;
  readonly code?: number;
  readonly note?: string;
  readonly incomplete?: boolean;
}

export const nativeCaptures = [
  "native-zeek-dials-threatbus", "native-peer-dials-zeek", "native-zeek-reconnects", "native-all-types", "native-redundant-connection", "native-wrong",
  "native-wrong-lengths",
] as const;
export const wsCaptures = ["ws-cluster-broker-backend", "ws-cluster-zeromq-backend", "ws-cluster-none-backend", "ws-cluster-input-values", "ws-broker-node", "ws-strings"] as const;

/** The lines of a recording of a real Zeek 8.2.0, its header left out. */
export function capture(name: (typeof nativeCaptures)[number] | (typeof wsCaptures)[number]): Line[] {
  const text = readFileSync(new URL(`captures/${name}.ndjson`, import.meta.url), "utf8");
  return text.trimEnd().split("\n").slice(1).map((line) => JSON.parse(line) as Line);
}

export const bytesOf = ({ hex = "" }: Line): Buffer => Buffer.from(hex, "hex");
/** The bytes of a WebSocket message. */
export const messageOf = ({ hex, text = "" }: Line): Buffer => (hex === undefined ? Buffer.from(text) : Buffer.from(hex, "hex"));
