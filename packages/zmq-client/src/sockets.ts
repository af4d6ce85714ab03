import { curveKeyPair, Request, Subscriber, XPublisher } from "zeromq";
import { Link } from "./link.ts";
import type { Settings } from "./settings.ts";

/** Bytes of a reply. A grant takes about 150. */
const maxReplySize = 64 * 1024;
/** Bytes that a message to us has beside its payload, and then some. */
const envelopeSize = 1_024;

export interface Linked<Kind> {
  readonly socket: Kind;
  readonly link: Link;
}

/**
 * Opens this client's sockets, all with bounded queues, sizes and times, so that a lost peer is noticed within 15 seconds. `onChange` is
 * told of every connection made or lost.
 */
export interface Sockets {
  request(onChange: () => void): Linked<Request>;
  /** `depth`: messages waiting in the socket before the bus has to keep them. */
  subscriber(port: number, depth: number, onChange: () => void): Linked<Subscriber>;
  publisher(port: number, onChange: () => void): Linked<XPublisher>;
}

export function socketsOf(settings: Settings): Sockets {
  const common = connectedOptions(settings);
  const endpoint = (port: number): string => `tcp://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${port}`;
  return {
    request(onChange) {
      // With `immediate`, sending waits for the connection: no connection and no answer are two failures.
      const socket = new Request({
        ...common,
        linger: 0,
        immediate: true,
        maxMessageSize: maxReplySize,
        sendHighWaterMark: 1,
        receiveHighWaterMark: 1,
      });
      const link = new Link(socket, onChange);
      socket.connect(endpoint(settings.manage));
      return { socket, link };
    },
    subscriber(port, depth, onChange) {
      const maxMessageSize = settings.maxMessageSize + envelopeSize;
      const socket = new Subscriber({ ...common, linger: 0, maxMessageSize, receiveHighWaterMark: depth });
      const link = new Link(socket, onChange);
      socket.connect(endpoint(port));
      return { socket, link };
    },
    publisher(port, onChange) {
      // An XPUB that may not drop says when its queue is full and what the bus takes; a plain PUB loses in silence.
      const socket = new XPublisher({
        ...common,
        linger: settings.linger,
        maxMessageSize: 4_096,
        noDrop: true,
        sendTimeout: 0,
        sendHighWaterMark: 1_000,
        sendBufferSize: 65_536,
      });
      const link = new Link(socket, onChange);
      socket.connect(endpoint(port));
      return { socket, link };
    },
  };
}

function connectedOptions({ host, curve }: Settings) {
  const keys = curve === undefined ? undefined : curve.publicKey === undefined ? curveKeyPair() : curve;
  return {
    ipv6: host.includes(":"),
    connectTimeout: 5_000,
    handshakeInterval: 5_000,
    heartbeatInterval: 5_000,
    heartbeatTimeout: 10_000,
    heartbeatTimeToLive: 15_000,
    tcpKeepalive: 1,
    tcpKeepaliveIdle: 10,
    tcpKeepaliveInterval: 5,
    tcpKeepaliveCount: 2,
    reconnectInterval: 100,
    reconnectMaxInterval: 5_000,
    ...(curve === undefined || keys === undefined
      ? {}
      : { curveServerKey: curve.serverKey, curvePublicKey: keys.publicKey ?? null, curveSecretKey: keys.secretKey ?? null }),
  };
}
