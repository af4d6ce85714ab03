/** What a test file asks for a broker. */
import { environment } from "./environment.ts";
import { kinds, unavailable, type BrokerKind, type ServiceKind } from "./kinds.ts";

export interface Needed {
  /** vitest's `describe`, or, where the broker is missing, one that skips all inside by name and adds the reason to the title. */
  readonly describe: (title: string, body: () => void) => void;
  /** Why the broker cannot be had here. */
  readonly missing: string | undefined;
}

/** How test files reach a broker they share. */
export interface SharedBrokers {
  readonly rabbitmq: { /** `amqp://user:password@host:port` */ readonly url: string };
  readonly kafka: { /** `host:port[,host:port…]` */ readonly bootstrap: string };
}

/**
 * For a test file that starts its own brokers. Installs what is missing. Where the broker cannot be had, what stands in the returned
 * `describe` is skipped; with CI set, it throws the reason instead. `version` is one of Kafka's, by default the newest known here.
 */
export async function needs(kind: ServiceKind, version?: string): Promise<Needed> {
  return needed(kinds[kind].title, await unavailable(kind, undefined, version));
}

/**
 * For a test file that can share a broker and leaves it as it was: the one that the environment names, which `npm test` starts once for
 * all, or else one of its own, which ends with the file. Await it at the top of the file. Where there is none, the address is empty.
 */
export async function brokerForTests<Kind extends BrokerKind>(kind: Kind): Promise<Needed & SharedBrokers[Kind]>;
export async function brokerForTests(kind: BrokerKind): Promise<Needed & { readonly url: string; readonly bootstrap: string }> {
  const { given, start } = kinds[kind];
  const at = (needed: Needed, address: string): Needed & { readonly url: string; readonly bootstrap: string } => ({ ...needed, url: address, bootstrap: address });
  const address = environment(given);
  if (address !== undefined) return at(await needed(kinds[kind].title, undefined), address);
  const own = await needs(kind);
  if (own.missing !== undefined) return at(own, "");
  const broker = await start();
  const { afterAll } = await import("vitest");
  afterAll(() => broker.stop());
  return at(own, broker.address);
}

/** @param title what is needed, for sentences */
export async function needed(title: string, missing: string | undefined): Promise<Needed> {
  // Not at the top: benchmarks load this package, too, and no test runner.
  const { describe } = await import("vitest");
  if (missing === undefined) return { missing, describe: (name, body) => void describe(name, body) };
  if (environment("CI") !== undefined) throw new Error(`no ${title} for these tests, and CI is set: ${missing}`);
  return { missing, describe: (name, body) => void describe.skip(`${name} (no ${title}: ${missing})`, body) };
}
