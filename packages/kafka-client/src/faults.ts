import { redact } from "@threatbus/core";

/**
 * - `away`: the broker cannot be reached or does not answer. Trying again helps.
 * - `locked_out`: no connection comes about, for want of a login, a certificate or a common protocol. What waits may go on waiting: certificates and
 *   users are mended while a program runs.
 * - `denied`: it answers, and says no to what is asked for.
 * - `missing`: a topic does not exist.
 * - `too_large`: a batch or a message is larger than the topic takes.
 * - `confused`: the broker and the client disagree about what was sent. A new client helps.
 * - `closed`: this client was closed.
 */
export type FaultKind = "away" | "locked_out" | "denied" | "missing" | "too_large" | "confused" | "closed";

/** What went wrong, whatever the client called it. */
export class KafkaFault extends Error {
  readonly kind: FaultKind;
  /** What to do about it. */
  readonly hint?: string;

  constructor(kind: FaultKind, message: string, details: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "KafkaFault";
    this.kind = kind;
    if (details.hint !== undefined) this.hint = details.hint;
  }
}

/** Errors of Kafka's protocol by name, https://kafka.apache.org/protocol#protocol_error_codes. What is not here may pass. */
const protocol: ReadonlyMap<string, readonly [FaultKind, hint?: string]> = new Map([
  ["MESSAGE_TOO_LARGE", ["too_large", "raise the topic's `max.message.bytes`"]],
  ["RECORD_LIST_TOO_LARGE", ["too_large", "raise the topic's `max.message.bytes`"]],
  ["UNKNOWN_TOPIC_OR_PARTITION", ["missing", "create the topic, or let Threat Bus do it with `create_topics`"]],
  ["INVALID_TOPIC_EXCEPTION", ["denied", "a topic's name has at most 249 letters, digits, dots, dashes and underscores"]],
  ["TOPIC_AUTHORIZATION_FAILED", ["denied", "let the user read, write and describe the topic"]],
  ["GROUP_AUTHORIZATION_FAILED", ["denied", "let the user read the consumer group `group_id`"]],
  ["CLUSTER_AUTHORIZATION_FAILED", ["denied", "let the user write idempotently, and create topics or set `create_topics.enabled: false`"]],
  ["INVALID_GROUP_ID", ["denied", "choose another `group_id`"]],
  ["INVALID_SESSION_TIMEOUT", ["denied", "the broker's `group.min.session.timeout.ms` and `group.max.session.timeout.ms` bound `session.timeout.ms`"]],
  ["INVALID_REPLICATION_FACTOR", ["denied", "`create_topics.replication_factor` is higher than there are brokers"]],
  ["INVALID_PARTITIONS", ["denied", "choose another `create_topics.partitions`"]],
  ["POLICY_VIOLATION", ["denied", "the cluster has rules for topics: create it by hand and set `create_topics.enabled: false`"]],
  ["INCONSISTENT_GROUP_PROTOCOL", ["denied", "programs of another kind are members of this group: choose another `group_id`"]],
  ["UNSUPPORTED_SASL_MECHANISM", ["locked_out", "choose a `sasl.mechanism` the broker has"]],
  ["SASL_AUTHENTICATION_FAILED", ["locked_out", "check `sasl.username` and `sasl.password`"]],
  ["ILLEGAL_SASL_STATE", ["locked_out", "the listener wants no SASL: check `security.protocol`"]],
  ["UNSUPPORTED_VERSION", ["denied", "Kafka 3.9 and 4.x are supported"]],
  ["OUT_OF_ORDER_SEQUENCE_NUMBER", ["confused"]],
  ["DUPLICATE_SEQUENCE_NUMBER", ["confused"]],
  ["UNKNOWN_PRODUCER_ID", ["confused"]],
  ["INVALID_PRODUCER_EPOCH", ["confused"]],
  ["PRODUCER_FENCED", ["confused"]],
]);

const certificateHint = "set `ssl.ca.location` to the authority of the broker's certificate";
const badCertificateHint = "the broker does not take the certificate of `ssl.certificate.location`, or wants one";
const protocolHint = "does the listener speak what `security.protocol` says?";

/** What a network and OpenSSL say, by code. */
const network: ReadonlyMap<string, readonly [FaultKind, hint?: string]> = new Map([
  ["SELF_SIGNED_CERT_IN_CHAIN", ["locked_out", certificateHint]],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", ["locked_out", certificateHint]],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", ["locked_out", certificateHint]],
  ["UNABLE_TO_GET_ISSUER_CERT", ["locked_out", certificateHint]],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", ["locked_out", certificateHint]],
  ["CERT_HAS_EXPIRED", ["locked_out", "the broker's certificate has expired"]],
  ["CERT_NOT_YET_VALID", ["locked_out", "the broker's certificate is not valid yet: is this machine's clock right?"]],
  ["ERR_TLS_CERT_ALTNAME_INVALID", ["locked_out", "the broker's certificate is for another host: check `bootstrap.servers`, or set `ssl.endpoint.identification.algorithm: none`"]],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", ["locked_out", "the broker wants a certificate: set `ssl.certificate.location` and `ssl.key.location`"]],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", ["locked_out", badCertificateHint]],
  // OpenSSL 3.5, of Node 24.
  ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", ["locked_out", badCertificateHint]],
  ["ERR_SSL_WRONG_VERSION_NUMBER", ["locked_out", protocolHint]],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", ["locked_out", protocolHint]],
  ["ENOTFOUND", ["away", "is the host in `bootstrap.servers` spelled right?"]],
  ["ECONNREFUSED", ["away", "does a broker listen there? Check `bootstrap.servers`"]],
]);

const longestReason = 500;

/** Says what an error of the client, of the network or of Kafka's protocol means. */
export function faultOf(thrown: unknown): KafkaFault {
  if (thrown instanceof KafkaFault) return thrown;
  const chain = causesOf(thrown);
  const reason = redact(chain.at(0)?.message ?? String(thrown)).slice(0, longestReason);
  for (const { type, code, name, message } of chain) {
    const known = protocol.get(type ?? "") ?? network.get(typeof code === "string" ? code : "");
    if (known !== undefined) return fault(known[0], known[1]);
    if (name === "KafkaJSSASLAuthenticationError") {
      return message.includes("mechanism is not supported") ? fault("locked_out", "choose a `sasl.mechanism` the broker has") : fault("locked_out", "check `sasl.username` and `sasl.password`");
    }
  }
  const text = chain.map(({ message }) => message).join(" ");
  if (/an answer of -?\d+ bytes/.test(text)) return fault("away", `${protocolHint} If so, raise \`receive.message.max.bytes\``);
  return fault("away", /closed (?:the )?connection|closed by the server|socket disconnected|ECONNRESET|EPIPE/i.test(text) ? `the broker closes the connection: ${protocolHint}` : undefined);

  function fault(kind: FaultKind, hint?: string): KafkaFault {
    return new KafkaFault(kind, reason, { cause: thrown, ...(hint === undefined ? {} : { hint }) });
  }
}

interface ErrorLike {
  readonly message: string;
  readonly name?: string;
  readonly code?: unknown;
  readonly type?: string;
}

/** The error and what it was thrown for, one of a list included. */
function causesOf(thrown: unknown): ErrorLike[] {
  const chain: ErrorLike[] = [];
  for (let at: unknown = thrown; at instanceof Error && chain.length < 8; at = at.cause ?? (at as { errors?: unknown[] }).errors?.[0]) chain.push(at);
  return chain;
}
