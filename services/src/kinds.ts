/** What tests need from outside, and what the environment says of it. */
import type { Tell } from "./debian.ts";
import { environment } from "./environment.ts";
import { feverGiven, requireFever } from "./fever-install.ts";
import { kafka } from "./kafka.ts";
import { requireKafka } from "./kafka-install.ts";
import { rabbitmq } from "./rabbitmq.ts";
import { requireRabbitmq } from "./rabbitmq-install.ts";
import type { Service } from "./service.ts";
import { requireTenzir, tenzirGiven } from "./tenzir-install.ts";
import { Unavailable } from "./unavailable.ts";

export type BrokerKind = "rabbitmq" | "kafka";
export type ServiceKind = BrokerKind | "tenzir" | "fever";

export interface Kind {
  /** For sentences. */
  readonly title: string;
  /** The variable of the environment with the address of a broker that is there already, or with the folder of programs that are. */
  readonly given: string;
  /** The variable of the environment with the reason why tests have to do without. */
  readonly without: string;
  /** Installs what is missing; of RabbitMQ there is one version, the system's. Throws `Unavailable`. */
  readonly install: (tell?: Tell, version?: string) => Promise<unknown>;
  /** Left out where every test file starts its own. */
  readonly start?: () => Promise<Running>;
}

/** A broker, and what goes into the variable. */
export type Running = Service & { readonly address: string };

export const kinds: Readonly<Record<BrokerKind, Required<Kind>> & Record<"tenzir" | "fever", Kind>> = {
  rabbitmq: {
    title: "RabbitMQ",
    given: "THREATBUS_TEST_RABBITMQ",
    without: "THREATBUS_TEST_WITHOUT_RABBITMQ",
    install: (tell) => requireRabbitmq(tell),
    start: () => rabbitmq().then((broker) => Object.assign(broker, { address: broker.url })),
  },
  kafka: {
    title: "Kafka",
    given: "THREATBUS_TEST_KAFKA",
    without: "THREATBUS_TEST_WITHOUT_KAFKA",
    install: (tell, version) => requireKafka(version, tell),
    start: () => kafka().then((broker) => Object.assign(broker, { address: broker.bootstrap })),
  },
  tenzir: {
    title: "Tenzir",
    given: tenzirGiven,
    without: "THREATBUS_TEST_WITHOUT_TENZIR",
    install: (tell) => requireTenzir(tell),
  },
  fever: {
    title: "fever",
    given: feverGiven,
    without: "THREATBUS_TEST_WITHOUT_FEVER",
    install: (tell) => requireFever(tell),
  },
};

/** Installs what is missing; returns, in words, why one cannot be started here. */
export async function unavailable(kind: ServiceKind, tell?: Tell, version?: string): Promise<string | undefined> {
  const { without, install } = kinds[kind];
  const reason = environment(without);
  if (reason !== undefined) return reason;
  try {
    await install(tell, version);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Unavailable) return thrown.message;
    throw thrown;
  }
}
