import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { message } from "@threatbus/core";
import { brokerForTests } from "@threatbus/services";
import { indicator } from "@threatbus/testkit";
import { connect as amqp } from "amqplib";
import { expect, onTestFinished, test } from "vitest";
import { rabbitmq } from "../src/index.ts";
import { oneHost, scale } from "./fleet.ts";
import { connectionOf } from "./options.ts";

const { describe, url } = await brokerForTests("rabbitmq");
const kills = scale >= 50 ? 20 : 3;

describe("a host that dies", () => {
  test("again and again while messages flow: what was confirmed to it and what was meant for it arrives (F50, B4)", async () => {
    const world = `killed-${process.pid}`;
    const options = (suffix: string) => ({ ...connectionOf(url), exchange_name: world, queue: { name_suffix: `${world}.${suffix}` } });
    const handled = new Set<string>();
    const published = new Set<string>();
    const here = new Set<string>();
    let repeats = 0;

    async function life(): Promise<ChildProcess> {
      const child = fork(fileURLToPath(new URL("host.mjs", import.meta.url)), [JSON.stringify(options("mortal"))], { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
      onTestFinished(() => void child.kill("SIGKILL"));
      child.on("message", (said: { handled?: string; published?: string }) => {
        if (said.published !== undefined) published.add(said.published);
        if (said.handled === undefined) return;
        if (handled.has(said.handled)) repeats++;
        handled.add(said.handled);
      });
      await once(child, "message");
      return child;
    }

    const survivor = await oneHost(rabbitmq(options("survivor")));
    await survivor.bus.subscribe("stix2/", ({ body }) => void here.add((body as { id: string }).id), { queue: { maxItems: 1_000_000 } });
    const meant = new Set<string>();
    let running = true;
    let child = await life();
    const producing = (async () => {
      while (running) {
        await Promise.all(Array.from({ length: 50 }, async () => {
          const sent = indicator();
          await survivor.bus.publish(sent);
          meant.add((sent.body as { id: string }).id);
        }));
      }
    })();
    for (let kill = 0; kill < kills; kill++) {
      const [before, out] = [handled.size, published.size];
      await expect.poll(() => handled.size - before > 500 && published.size - out > 100).toBe(true);
      child.kill("SIGKILL");
      await once(child, "exit");
      child = await life();
    }
    running = false;
    await producing;
    await expect.poll(() => [...meant].filter((id) => !handled.has(id)).length).toBe(0);
    await expect.poll(() => [...published].filter((id) => !here.has(id)).length).toBe(0);
    process.stdout.write(`${kills} kills: ${meant.size} messages for the host that died, ${published.size} of its own, none lost, ${repeats} handled again\n`);
    child.kill("SIGKILL");
    await survivor.bus.publish(message({ type: "domain-name", spec_version: "2.1", id: "domain-name--00000000-0000-4000-8000-000000000001", value: "still.example" }));

    const connection = await amqp(url);
    const channel = await connection.createChannel();
    await survivor.bus.stop();
    for (const suffix of ["mortal", "survivor"]) await channel.deleteQueue(`threatbus.${world}.${suffix}`);
    await channel.deleteExchange(world);
    await connection.close();
  });
});
