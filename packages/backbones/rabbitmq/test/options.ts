import type { z } from "zod";
import type { options } from "../src/options.ts";

export type Options = z.input<typeof options>;

/** How to reach the broker of an AMQP URL. */
export function connectionOf(url: string): Pick<Options, "host" | "port" | "username" | "password" | "vhost"> {
  if (url === "") return {};
  const { hostname, port, username, password, pathname } = new URL(url);
  return { host: hostname, port: Number(port), username: decodeURIComponent(username), password: decodeURIComponent(password), vhost: decodeURIComponent(pathname.slice(1)) || "/" };
}

let hosts = 0;

/** A host of a bus of its own: exchange and queue go with it, so that a shared broker is left as it was. */
export function passing(world: string, more: Options = {}): Options {
  return { exchange_name: world, exchange: { durable: false }, ...more, queue: { name_suffix: `${world}.${++hosts}`, auto_delete: true, durable: false, ...more.queue } };
}
