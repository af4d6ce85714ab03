/** The built package where neither zeromq nor kafkajs is installed. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fakeMisp } from "@threatbus/testkit";
import { expect, test } from "vitest";
import { atEnd } from "./stand.ts";

const run = promisify(execFile);

/** Makes Node say of these packages what it says of those that are not there. */
const hooks = `export async function resolve(name, context, next) {
  if (/^(zeromq|kafkajs)(\\/|$)/.test(name)) throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: "ERR_MODULE_NOT_FOUND" });
  return next(name, context);
}`;
const absent = `import { register } from "node:module"; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;

async function start(options: object): Promise<Record<string, unknown>> {
  const program = `
    import { createBus, silentLogger } from "@threatbus/core";
    import { inmem } from "@threatbus/inmem";
    import { misp } from "@threatbus/misp";
    const bus = createBus({ backbones: [inmem()], apps: [misp(${JSON.stringify(options)})], logger: silentLogger });
    try { await bus.start(); console.log(JSON.stringify({ state: bus.stats().state })); }
    catch ({ code, message, hint }) { console.log(JSON.stringify({ code, message, hint })); }
    await bus.stop();`;
  const { stdout } = await run(process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(absent)}`, "--input-type=module", "-e", program], { cwd: import.meta.dirname });
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("it runs with the API alone, and says which package a feed needs", async () => {
  const api = await fakeMisp();
  atEnd(() => api.stop());
  expect(await start({ api: { host: api.url, key: api.key } })).toStrictEqual({ state: "running" });
  expect(await start({ zmq: {} })).toMatchObject({ code: "PLUGIN_START_FAILED", message: expect.stringContaining("misp.zmq needs the package zeromq") as unknown, hint: "run: npm install zeromq" });
  expect(await start({ kafka: {} })).toMatchObject({ code: "PLUGIN_START_FAILED", message: expect.stringContaining("misp.kafka needs the package kafkajs") as unknown, hint: "run: npm install kafkajs" });
});
