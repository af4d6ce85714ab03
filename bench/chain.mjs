// Two hosts with a broker between them, as one target: what apps publish at the first reaches apps at the second.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "amqplib";
import { subscribe } from "./manage.mjs";
import { freePorts, launch, pause } from "./processes.mjs";
import { cache, subscribeAll, unsubscribeAll } from "./targets.mjs";

const tcp = (port) => `tcp://127.0.0.1:${port}`;

/**
 * @param {string} backbone
 * @param {[object, object]} options of the backbone, of either host
 * @returns {Promise<import("./targets.mjs").Target>}
 */
export async function startChain(backbone, options) {
  const ports = [await zmqPorts(), await zmqPorts()];
  const program = new URL("host.mjs", import.meta.url).pathname;
  const start = (i) => launch(process.execPath, [program, backbone, JSON.stringify(options[i]), JSON.stringify({ host: "127.0.0.1", ...ports[i] })], { ipc: true });
  const hosts = [start(0), start(1)];
  await Promise.all(hosts.map((host) => host.line((line) => line === "ready")));
  return { ...target("two hosts", hosts, ports), attached: async () => {} };
}

/** @returns {Promise<import("./targets.mjs").Target>} */
export async function startReferenceChain(bin, broker) {
  const ports = [await zmqPorts(), await zmqPorts()];
  const suffixes = ["reference.a", "reference.b"];
  const hosts = suffixes.map((suffix, i) => launch(bin, ["-c", configuration(broker, suffix, ports[i])]));
  await Promise.all(ports.map(({ manage }) => subscribe(tcp(manage), 20_000)));
  await consumed(broker, suffixes.map((suffix) => `threatbus.${suffix}`));
  return { ...target("two hosts of the reference", hosts, ports), attached: () => pause(1_000) };
}

function target(name, hosts, [{ sub: input }, { manage, pub: output }]) {
  return {
    name,
    pids: hosts.map(({ child }) => child.pid),
    input: tcp(input),
    output: tcp(output),
    subscribe: (count) => subscribeAll(tcp(manage), count),
    end: (prefixes) => unsubscribeAll(tcp(manage), prefixes),
    stop: async () => void (await Promise.all(hosts.map((host) => host.stop(2_000)))),
  };
}

async function zmqPorts() {
  const [manage, pub, sub] = await freePorts(3);
  return { manage, pub, sub };
}

function configuration({ host, port }, suffix, { manage, pub, sub }) {
  const path = join(cache, `${suffix}.yaml`);
  const rabbitmq = { host, port, username: "guest", password: "guest", vhost: "/", exchange_name: "reference", queue: { name_suffix: suffix } };
  // JSON is YAML.
  const plugins = { backbones: { rabbitmq }, apps: { zmq: { host: "127.0.0.1", manage, pub, sub } } };
  writeFileSync(path, JSON.stringify({ logging: { console: true, console_verbosity: "ERROR", file: false }, plugins }));
  return path;
}

/** Resolves when somebody reads from each queue. */
async function consumed(broker, queues) {
  const connection = await connect(broker.url);
  for (const queue of queues) {
    for (let consumers = 0; consumers === 0; await pause(50)) {
      const channel = await connection.createChannel();
      // A queue that is not there yet ends the channel.
      channel.on("error", () => {});
      consumers = await channel.checkQueue(queue).then(({ consumerCount }) => consumerCount, () => 0);
    }
  }
  await connection.close();
}
