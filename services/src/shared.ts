/** Brokers for a whole test run: what `npm test` and `npm run services` start. */
import { environment } from "./environment.ts";
import { kinds, unavailable, type Kind, type ServiceKind } from "./kinds.ts";

export interface SharedRun {
  /** For the environment of the tests: a broker's address each, or the reason why there is none. */
  readonly variables: Readonly<Record<string, string>>;
  /** Sentences, one per broker that cannot be had. */
  readonly missing: readonly string[];
  /** Ends what was started. Twice is harmless. */
  stop(): Promise<void>;
}

/** Installs what is missing; returns sentences, one per broker that cannot be had. */
export async function installBrokers(say: (line: string) => void): Promise<string[]> {
  return each(async (kind, { title }) => {
    const reason = await unavailable(kind, (progress) => say(`${title}: ${progress}`));
    if (reason === undefined) say(`${title}: installed`);
    return reason === undefined ? [] : [`${title}: ${reason}`];
  });
}

/** Starts one of each kind that is shared, but for those the environment names. Throws if one is installed and does not start. */
export async function shareBrokers(say: (line: string) => void): Promise<SharedRun> {
  const variables: Record<string, string> = {};
  const missing: string[] = [];
  const started = await each(async (kind, { title, given, without, start }) => {
    const tell = (progress: string): void => say(`${title}: ${progress}`);
    if (environment(given) !== undefined) {
      tell(`the one that ${given} names`);
      return [];
    }
    const reason = await unavailable(kind, tell);
    if (reason !== undefined) {
      variables[without] = reason;
      missing.push(`${title}: ${reason}`);
      return [];
    }
    if (start === undefined) return [];
    tell("starting");
    const began = performance.now();
    const broker = await start();
    variables[given] = broker.address;
    tell(`${broker.version} ready in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return [broker];
  });
  return {
    variables,
    missing,
    async stop() {
      await Promise.all(started.map((broker) => broker.stop()));
    },
  };
}

async function each<T>(work: (name: ServiceKind, kind: Kind) => Promise<T[]>): Promise<T[]> {
  return (await Promise.all((["rabbitmq", "kafka", "tenzir", "fever"] as const).map((name) => work(name, kinds[name])))).flat();
}
