import { WebSocket, type ClientOptions } from "ws";
import { anonymousTls, type Credentials } from "../native/tls.ts";
import type { WebSocketOptions } from "../options.ts";
import { Redialler } from "../redialler.ts";
import { version } from "../version.ts";
import { zoneOf } from "../wire/time.ts";
import { Session } from "./session.ts";
import type { WebSocketTerms } from "./terms.ts";

/** The only path Zeek knows; compared as text. */
const path = "/v1/messages/json";

/** Connects to a Zeek's WebSocket server. */
export function webSocketClient(options: WebSocketOptions, credentials: Credentials, terms: WebSocketTerms): Redialler {
  const { protocol, host } = new URL(options.url);
  const remote = `${protocol}//${host}${path}`;
  const client: ClientOptions = {
    // Zeek takes letters, digits and -/_.=:*@ here, and ends connections with anything else.
    headers: { "X-Application-Name": `threatbus/${version()}` },
    perMessageDeflate: false,
    // Zeek's strings are bytes, and go out as they are.
    skipUTF8Validation: true,
    maxPayload: terms.maxMessage,
    handshakeTimeout: terms.handshakeTimeout,
    ...(protocol === "wss:" && (options.tls === "anonymous" ? { ...anonymousTls, rejectUnauthorized: false } : { ...credentials })),
  };
  const zone = zoneOf(options.time_zone);
  return new Redialler(remote, () => new Session({ socket: new WebSocket(remote, client), remote, zone, pace: options.max_rate, terms }), terms);
}
