/** What a test file asks for a broker. */
import { kafkaUnavailable, rabbitmqUnavailable } from "./availability.ts";
import { kafka } from "./kafka.ts";
import { rabbitmq } from "./rabbitmq.ts";

/** How test files reach a broker they share. */
export interface SharedBrokers {
  readonly rabbitmq: { /** `amqp://user:password@host:port` */ readonly url: string };
  readonly kafka: { /** `host:port[,host:port…]` */ readonly bootstrap: string };
}

export type BrokerKind = keyof SharedBrokers;

export interface Needed {
  /** vitest's `describe`, or, where the broker is missing, one that skips all inside by name and adds the reason to the title. */
  readonly describe: (title: string, body: () => void) => void;
  /** Why the broker cannot be had here. */
  readonly missing: string | undefined;
}

const titles: Readonly<Record<BrokerKind, string>> = { rabbitmq: "RabbitMQ", kafka: "Kafka" };
const unavailable: Readonly<Record<BrokerKind, () => Promise<string | undefined>>> = { rabbitmq: rabbitmqUnavailable, kafka: kafkaUnavailable };

/** The variable of the environment that names a broker which is there already. */
export const variables: Readonly<Record<BrokerKind, string>> = { rabbitmq: "THREATBUS_TEST_RABBITMQ", kafka: "THREATBUS_TEST_KAFKA" };

/**
 * For a test file that starts its own brokers. Installs what is missing. Where the broker cannot be had, what stands in the returned
 * `describe` is skipped; with CI set, it throws the reason instead.
 */
export async function needs(kind: BrokerKind): Promise<Needed> {
  return needed(kind, await unavailable[kind]());
}

/**
 * For a test file that can share a broker and leaves it as it was: the one that the environment names, which `npm test` starts once for
 * all, or else one of its own, which ends with the file. Await it at the top of the file. Where there is none, the address is empty.
 */
export async function brokerForTests<Kind extends BrokerKind>(kind: Kind): Promise<Needed & SharedBrokers[Kind]>;
export async function brokerForTests(kind: BrokerKind): Promise<Needed & Partial<SharedBrokers["rabbitmq"] & SharedBrokers["kafka"]>> {
  const address = (value: string): Partial<SharedBrokers["rabbitmq"] & SharedBrokers["kafka"]> => (kind === "kafka" ? { bootstrap: value } : { url: value });
  const given = process.env[variables[kind]];
  if (given !== undefined && given !== "") return { ...(await needed(kind, undefined)), ...address(given) };
  const own = await needs(kind);
  if (own.missing !== undefined) return { ...own, ...address("") };
  const { afterAll } = await import("vitest");
  if (kind === "kafka") {
    const broker = await kafka();
    afterAll(() => broker.stop());
    return { ...own, ...address(broker.bootstrap) };
  }
  const broker = await rabbitmq();
  afterAll(() => broker.stop());
  return { ...own, ...address(broker.url) };
}

async function needed(kind: BrokerKind, missing: string | undefined): Promise<Needed> {
  const { describe } = await import("vitest");
  if (missing === undefined) return { missing, describe: (title, body) => void describe(title, body) };
  if (process.env["CI"] !== undefined && process.env["CI"] !== "") throw new Error(`no ${titles[kind]} for these tests, and CI is set: ${missing}`);
  return { missing, describe: (title, body) => void describe.skip(`${title} (no ${titles[kind]}: ${missing})`, body) };
}
