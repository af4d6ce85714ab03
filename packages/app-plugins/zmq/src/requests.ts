import { Buffer, isUtf8 } from "node:buffer";

/** Bytes of one request. */
export const maxRequestSize = 65_536;
const mostTopics = 256;
/** A hundred years. */
const mostDays = 36_525;

export interface Wish {
  readonly topics: readonly string[];
  /** Of history. */
  readonly days: number;
  readonly sequenced: boolean;
}

/** Where requests are carried out. */
export interface Desk {
  /** Returns the new channel. @throws RequestRefused, or anything: the app hears that it failed */
  subscribe(wish: Wish): Promise<string>;
  /** These return whether the channel exists. */
  unsubscribe(channel: string): boolean;
  heartbeat(channel: string): boolean;
}

export type Reply = Readonly<Record<string, unknown>> & { readonly status: "success" | "error" | "unknown request" };

/** Where messages go and come from. */
export interface Ports {
  readonly pub: number;
  readonly sub: number;
}

/** A request that cannot be met. Its message goes to the app: it repeats nothing that was sent. */
export class RequestRefused extends Error {}

/** The reply to a request: always one, whatever came. */
export async function answer(frames: readonly Uint8Array[], desk: Desk, ports: Ports): Promise<Reply> {
  try {
    const request = read(frames);
    const { action, topic } = request;
    if (topic === undefined || topic === null) return { status: "unknown request", reason: "a request has a topic" };
    switch (action) {
      case "subscribe": {
        const { features } = request;
        const sequenced = Array.isArray(features) && features.includes("seq");
        const channel = await desk.subscribe({ topics: topicsOf(topic), days: daysOf(request), sequenced });
        const granted = { topic: channel, pub_port: ports.pub, sub_port: ports.sub, status: "success" } as const;
        return sequenced ? { ...granted, features: ["seq"] } : granted;
      }
      case "unsubscribe":
      case "heartbeat":
        if (typeof topic === "string" && desk[action](topic)) return { status: "success" };
        return { status: "error", reason: "there is no such subscription" };
      default:
        return { status: "unknown request", reason: "the actions are subscribe, unsubscribe and heartbeat" };
    }
  } catch (thrown) {
    return { status: "error", reason: thrown instanceof RequestRefused ? thrown.message : "the request failed" };
  }
}

function read(frames: readonly Uint8Array[]): Record<string, unknown> {
  const [frame] = frames;
  if (frame === undefined || frames.length !== 1) throw new RequestRefused("a request is one frame");
  if (frame.length > maxRequestSize) throw new RequestRefused(`a request has at most ${maxRequestSize} bytes`);
  if (!isUtf8(frame)) throw new RequestRefused("the request is not UTF-8");
  let request: unknown;
  try {
    request = JSON.parse(Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString("utf8"));
  } catch {
    throw new RequestRefused("the request is not JSON");
  }
  if (typeof request !== "object" || request === null || Array.isArray(request)) throw new RequestRefused("the request is not an object");
  return Object.assign(Object.create(null) as Record<string, unknown>, request);
}

function topicsOf(topic: unknown): string[] {
  const topics: unknown[] = Array.isArray(topic) ? topic : [topic];
  if (topics.length < 1 || topics.length > mostTopics) throw new RequestRefused(`topic is a string or a list of 1 to ${mostTopics}`);
  if (!topics.every((each) => typeof each === "string")) throw new RequestRefused("topic is neither a string nor a list of strings");
  return topics;
}

function daysOf({ snapshot = 0 }: Record<string, unknown>): number {
  const days = typeof snapshot === "string" && /^\s*[+-]?\d{1,9}\s*$/.test(snapshot) ? Number(snapshot) : snapshot;
  if (typeof days !== "number" || !Number.isInteger(days)) throw new RequestRefused("snapshot is no whole number of days");
  if (days < 0 || days > mostDays) throw new RequestRefused("snapshot is less than 0 or more than 100 years");
  return days;
}
