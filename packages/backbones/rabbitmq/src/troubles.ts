import { ThreatbusError, isThreatbusError, reasonOf, redact } from "@threatbus/core";
import type { RabbitmqOptions } from "./options.ts";

/** Why there is no session with the broker. */
export interface Trouble {
  readonly error: ThreatbusError;
  /** Trying again will hardly help: somebody has to change something. */
  readonly permanent: boolean;
}

interface Kind {
  /** Of the error's code or text. */
  readonly sign: RegExp;
  readonly permanent: boolean;
  readonly text: (options: RabbitmqOptions) => string;
  readonly hint?: (options: RabbitmqOptions) => string;
}

const plain = ({ host, port }: RabbitmqOptions): string => `${host}:${port}`;

/** What Node, amqplib and the broker say, in words that name the option. Seen with RabbitMQ 3.10.8 and amqplib 2.3.1. */
const kinds: readonly Kind[] = [
  {
    sign: /Handshake terminated by server: (?:403|\d+ \(ACCESS.REFUSED\))/,
    permanent: true,
    text: (options) => `the broker at ${plain(options)} refuses the user`,
    hint: ({ username }) => `check username and password${username === "guest" ? "; guest may connect from the broker's own machine only" : ""}`,
  },
  {
    // The broker closes a connection to a virtual host without giving a reason.
    sign: /Expected ConnectionOpenOk/,
    permanent: true,
    text: (options) => `the broker at ${plain(options)} has no virtual host ${JSON.stringify(options.vhost)}, or the user may not use it`,
    hint: () => "check vhost; rabbitmqctl add_vhost makes one, rabbitmqctl set_permissions lets a user in",
  },
  {
    sign: /\b403\b.*ACCESS.REFUSED/,
    permanent: true,
    text: (options) => `the broker at ${plain(options)} does not let the user do what a host needs`,
    hint: () => 'rabbitmqctl set_permissions -p VHOST USER "^threatbus.*" "^threatbus.*" "^threatbus.*"',
  },
  { sign: /ENOTFOUND|EAI_AGAIN/, permanent: false, text: ({ host }) => `there is no host ${host}`, hint: () => "check host" },
  { sign: /ECONNREFUSED/, permanent: false, text: (options) => `nobody answers at ${plain(options)}`, hint: () => "check that the broker runs, and host and port" },
  { sign: /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, permanent: false, text: (options) => `the broker at ${plain(options)} does not answer in time`, hint: () => "check host, port and firewalls" },
  {
    sign: /SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER)|CERT_|ERR_TLS_CERT_ALTNAME_INVALID|self[- ]signed/,
    permanent: true,
    text: (options) => `the certificate of the broker at ${plain(options)} is not trusted`,
    hint: () => "set tls.ca_file to the authority that signed it, and tls.server_name if it has another name",
  },
  {
    sign: /ERR_SSL_(?:TLSV\d+_ALERT|SSLV3_ALERT|TLSV13_ALERT)|alert (?:bad|unknown|certificate|handshake)|CERTIFICATE_REQUIRED/i,
    permanent: true,
    text: (options) => `the broker at ${plain(options)} does not accept this host's certificate`,
    hint: () => "set tls.cert_file and tls.key_file to a pair that the broker knows",
  },
  {
    sign: /ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH|wrong version number/,
    permanent: true,
    text: (options) => `the port ${plain(options)} does not speak TLS`,
    hint: () => "leave tls out, or take the broker's TLS port, usually 5671",
  },
  {
    sign: /maxFrameSize|Invalid frame|Expected ConnectionStart|SASL mechanism/,
    permanent: true,
    text: (options) => `what answers at ${plain(options)} is no RabbitMQ that takes a name and a password`,
    hint: () => "check port: AMQP is usually 5672, with TLS 5671",
  },
  {
    sign: /closed abruptly|ECONNRESET|EPIPE|Unexpected close/,
    permanent: false,
    text: (options) => `the broker at ${plain(options)} ended the connection`,
    hint: ({ tls }) => (tls === undefined ? "if the port speaks TLS, set tls" : "see the broker's log"),
  },
  { sign: /RESOURCE.LOCKED/, permanent: false, text: () => "the queue belongs to another connection", hint: () => "another host has it with queue.exclusive, or this one's last connection is not gone yet" },
];

/** Says what happened. Nothing the broker or the network said is repeated where it could hold a secret. */
export function troubleOf(thrown: unknown, options: RabbitmqOptions): Trouble {
  if (isThreatbusError(thrown)) return { error: thrown, permanent: thrown.code === "OPTIONS_INVALID" };
  const own = withoutSecrets(reasonOf(thrown), options);
  const code = (thrown as { code?: unknown } | null)?.code;
  const kind = kinds.find(({ sign }) => sign.test(`${String(code)} ${own}`));
  const text = kind?.text(options) ?? `the broker at ${plain(options)} cannot be used`;
  const hint = kind?.hint?.(options);
  return { permanent: kind?.permanent ?? false, error: new ThreatbusError("CONNECTION_FAILED", `${text} (${own})`, { cause: new Error(own), ...(hint !== undefined && { hint }) }) };
}

function withoutSecrets(text: string, { password }: RabbitmqOptions): string {
  const redacted = redact(text).slice(0, 400);
  return password.length < 4 ? redacted : redacted.replaceAll(password, "***");
}

/** What the broker found different in something that exists. */
export interface Difference {
  /** E.g. `x-max-length` or `durable`. */
  readonly argument: string;
  readonly wanted: string;
  readonly current: string;
}

/**
 * Reads the one text in which RabbitMQ tells how something that exists differs (406): `inequivalent arg 'x-max-length' for queue 'q' in vhost
 * '/': received the value '5' of type 'byte' but current is none`. It names the first difference only.
 */
export function differenceOf(thrown: unknown): Difference | undefined {
  if ((thrown as { code?: unknown } | null)?.code !== 406) return undefined;
  const found = /inequivalent arg '([^']*)' for .*: received (?:the value )?(none|'[^']*')(?: of type '[^']*')? but current is (?:the value )?(none|'[^']*')/s.exec(reasonOf(thrown));
  if (found === null) return undefined;
  const [, argument = "", wanted = "", current = ""] = found.map((part) => part.replace(/^'(.*)'$/s, "$1"));
  return { argument, wanted, current };
}
