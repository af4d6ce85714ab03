import { kafkaJars, newestKafka } from "./kafka-install.ts";
import { requireRabbitmq } from "./rabbitmq-install.ts";
import { reasonAgainst } from "./unavailable.ts";

/** Installs RabbitMQ where it is missing; why that cannot be, in words. */
export function rabbitmqUnavailable(): Promise<string | undefined> {
  return reasonAgainst(requireRabbitmq);
}

/** Downloads Kafka where it is missing; why that cannot be, in words. */
export function kafkaUnavailable(version: string = newestKafka): Promise<string | undefined> {
  return reasonAgainst(() => kafkaJars(version));
}
