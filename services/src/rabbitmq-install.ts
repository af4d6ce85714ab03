import { existsSync } from "node:fs";
import { join } from "node:path";
import { installDebian, type Tell } from "./debian.ts";
import { requireLinux } from "./unavailable.ts";

/** Where Debian's package has the programs themselves; those of /usr/sbin change to another user first. */
export const rabbitmqPrograms = "/usr/lib/rabbitmq/bin";

/** Installs RabbitMQ (35 MB) where it is missing. Throws `Unavailable`. */
export async function requireRabbitmq(tell: Tell = () => undefined): Promise<void> {
  requireLinux();
  if (isInstalled()) return;
  await installDebian({ title: "RabbitMQ", packages: ["rabbitmq-server"], units: ["rabbitmq-server.service", "epmd.service", "epmd.socket"] }, tell);
  if (!isInstalled()) throw new Error(`RabbitMQ was installed and is not in ${rabbitmqPrograms}`);
}

function isInstalled(): boolean {
  return existsSync(join(rabbitmqPrograms, "rabbitmq-server"));
}
