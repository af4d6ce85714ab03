/** `fields` are data and may hold anything from outside; `text` is this package's own words. */
export interface Logger {
  debug(text: string, fields?: Readonly<Record<string, unknown>>): void;
  info(text: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(text: string, fields?: Readonly<Record<string, unknown>>): void;
  error(text: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** CURVE keys, each 40 characters of Z85. */
export interface CurveKeys {
  /** Public key of the bus. */
  readonly serverKey: string;
  /** This program's pair, which the bus must accept. Default: a new pair per client, for a bus that accepts anyone. */
  readonly publicKey?: string;
  readonly secretKey?: string;
}

export interface ConnectOptions {
  /** Name or address of the bus. Default `127.0.0.1`. */
  readonly host?: string;
  /** Its management port; the other two are told by the bus. Default 13370. */
  readonly manage?: number;
  /** Encrypts and authenticates all three connections. Default: neither. */
  readonly curve?: CurveKeys;
  /** Milliseconds the bus has to answer a request, connection included. Default 5,000. */
  readonly requestTimeout?: number;
  /** Milliseconds a `publish` may wait for the connection and for room. Default 30,000. */
  readonly publishTimeout?: number;
  /** Milliseconds between heartbeats. Default 5,000. */
  readonly heartbeatInterval?: number;
  /** Milliseconds that messages on their way out may hold up the end of the process. Default 2,000. */
  readonly linger?: number;
  /** Bytes of payload of one message from the bus; a larger one ends the connection. Default 16 MiB, which no bus exceeds. */
  readonly maxMessageSize?: number;
  /** Bytes of payload of one message to the bus, which cuts the connection above its own `max_message_size`. Default 1 MiB, as there. */
  readonly maxPublishSize?: number;
  /** Default: silence. */
  readonly logger?: Logger;
  /** Closes the client. */
  readonly signal?: AbortSignal;
}

export type Settings = Required<Omit<ConnectOptions, "curve" | "signal">> & Pick<ConnectOptions, "curve">;

const nothing = (): void => undefined;
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** @throws TypeError, RangeError */
export function settingsOf(options: ConnectOptions): Settings {
  const settings: Settings = {
    host: options.host ?? "127.0.0.1",
    manage: options.manage ?? 13370,
    requestTimeout: options.requestTimeout ?? 5_000,
    publishTimeout: options.publishTimeout ?? 30_000,
    heartbeatInterval: options.heartbeatInterval ?? 5_000,
    linger: options.linger ?? 2_000,
    maxMessageSize: options.maxMessageSize ?? 16 * 1024 * 1024,
    maxPublishSize: options.maxPublishSize ?? 1024 * 1024,
    logger: options.logger ?? silent,
    ...(options.curve === undefined ? {} : { curve: checkedKeys(options.curve) }),
  };
  if (typeof settings.host !== "string" || !/^[\w.:%-]{1,255}$/.test(settings.host)) {
    throw new TypeError("host must be a host name or an IP address");
  }
  checkInteger("manage", settings.manage, 1, 65_535);
  checkInteger("requestTimeout", settings.requestTimeout, 1, 3_600_000);
  checkInteger("publishTimeout", settings.publishTimeout, 1, 3_600_000);
  checkInteger("heartbeatInterval", settings.heartbeatInterval, 1, 3_600_000);
  checkInteger("linger", settings.linger, 0, 3_600_000);
  checkInteger("maxMessageSize", settings.maxMessageSize, 1, 1024 * 1024 * 1024);
  checkInteger("maxPublishSize", settings.maxPublishSize, 1, 1024 * 1024 * 1024);
  return Object.freeze(settings);
}

/** @throws RangeError naming the option */
export function checkInteger(option: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new RangeError(`${option} must be a whole number from ${least} to ${most}`);
  }
}

function checkedKeys(keys: CurveKeys): CurveKeys {
  for (const name of ["serverKey", "publicKey", "secretKey"] as const) {
    const key: unknown = keys[name];
    if (key === undefined && name !== "serverKey") continue;
    if (typeof key !== "string" || key.length !== 40) throw new TypeError(`curve.${name} must be 40 characters of Z85`);
  }
  if ((keys.publicKey === undefined) !== (keys.secretKey === undefined)) {
    throw new TypeError("curve.publicKey and curve.secretKey go together");
  }
  return Object.freeze({ ...keys });
}
