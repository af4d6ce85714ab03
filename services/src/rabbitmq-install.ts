import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where Debian's package has the programs themselves; those of /usr/sbin change to another user first. */
export const rabbitmqPrograms = "/usr/lib/rabbitmq/bin";

/** Throws, with the reason in words, when there is no RabbitMQ and none can be installed. */
export async function requireRabbitmq(): Promise<void> {
  if (!existsSync(join(rabbitmqPrograms, "rabbitmq-server"))) throw new Error("RabbitMQ is not installed");
}
