// The bus's management port.
import { Request } from "zeromq";

/** One request, one reply. Waits up to `timeout` ms for a bus that is still starting. */
export async function ask(endpoint, request, timeout = 10_000) {
  const socket = new Request({ linger: 0, receiveTimeout: timeout, sendTimeout: timeout, reconnectInterval: 2 });
  try {
    socket.connect(endpoint);
    await socket.send(JSON.stringify(request));
    const [reply] = await socket.receive();
    return JSON.parse(reply.toString());
  } finally {
    socket.close();
  }
}

/** Subscribes to indicators; returns the topic that is this subscriber's alone. */
export async function subscribe(endpoint, timeout) {
  const reply = await ask(endpoint, { action: "subscribe", topic: "stix2/indicator", snapshot: 0 }, timeout);
  if (reply.status !== "success") throw new Error(`subscription refused: ${JSON.stringify(reply)}`);
  return reply.topic;
}

export const unsubscribe = (endpoint, topic) => ask(endpoint, { action: "unsubscribe", topic });
