import type { Buffer } from "node:buffer";
import { Router, Subscriber, XPublisher } from "zeromq";
import type { Context } from "zeromq";
import type { KeyPair } from "./keys.ts";

/** Option number of ZMQ_SUBSCRIBE. */
const subscribe = 6;
/** Option number of ZMQ_UNSUBSCRIBE. */
const unsubscribe = 7;
/** Bytes of the largest request read; a request above its own limit still gets a reply. */
const maxRequestFrame = 1_048_576;
/** Bytes that may wait in ZeroMQ for one app, if its messages are as large as they may be. */
const pipeBytes = 512 * 1_048_576;
/** Bytes the kernel may hold for one app. Small, since they are lost when it dies. */
const sendBufferSize = 65_536;
/** Milliseconds after closing in which messages already handed over may still leave. */
const linger = 5_000;

export interface SocketSetup {
  readonly context: Context;
  readonly ipv6: boolean;
  readonly keys: KeyPair | undefined;
}

/** An XPUB socket on which every subscription needs a nod: without one, whoever connects gets nothing. */
export class DoorkeptPublisher extends XPublisher {
  /** Lets the peer whose frame was received last have what begins with `prefix`. To be called before the next `receive`. */
  admit(prefix: Buffer): void {
    this.setStringOption(subscribe, prefix);
  }

  /** Takes that back. */
  dismiss(prefix: Buffer): void {
    this.setStringOption(unsubscribe, prefix);
  }
}

export function openManage(setup: SocketSetup): Router {
  return new Router({ ...common(setup), linger: 1_000, sendTimeout: 1_000, maxMessageSize: maxRequestFrame });
}

/** Messages that may wait in ZeroMQ for one app. */
export function pipeLength(maxMessageSize: number): number {
  return Math.min(1_000, Math.max(4, Math.floor(pipeBytes / maxMessageSize)));
}

export function openPub(setup: SocketSetup, maxMessageSize: number): DoorkeptPublisher {
  return new DoorkeptPublisher({
    ...common(setup),
    linger,
    manual: true,
    noDrop: true,
    sendTimeout: 0,
    sendHighWaterMark: pipeLength(maxMessageSize),
    sendBufferSize,
    // Subscriptions only.
    maxMessageSize: 4_096,
  });
}

export function openSub(setup: SocketSetup, maxMessageSize: number): Subscriber {
  // The limit counts the whole frame: the longest topic beside the payload.
  return new Subscriber({ ...common(setup), linger: 0, receiveHighWaterMark: 10_000, maxMessageSize: maxMessageSize + 256 });
}

/** A lost peer is noticed within 15 seconds, one that never greets within 5. */
function common({ context, ipv6, keys }: SocketSetup) {
  return {
    context,
    ipv6,
    backlog: 128,
    handshakeInterval: 5_000,
    heartbeatInterval: 5_000,
    heartbeatTimeout: 10_000,
    heartbeatTimeToLive: 15_000,
    tcpKeepalive: 1,
    tcpKeepaliveIdle: 10,
    tcpKeepaliveInterval: 5,
    tcpKeepaliveCount: 2,
    tcpMaxRetransmitTimeout: 15_000,
    ...(keys === undefined
      ? {}
      : {
          curveServer: true,
          curvePublicKey: keys.publicKey,
          curveSecretKey: keys.secretKey,
          zapDomain: "threatbus",
          // Without an answer from the gatekeeper nobody gets in.
          zapEnforceDomain: true,
        }),
  };
}
