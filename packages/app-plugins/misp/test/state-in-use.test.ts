/** One state file, and more than one that wants it. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { busProcess } from "./bus-process.ts";
import { atEnd } from "./stand.ts";

async function stateFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "misp-in-use-"));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "misp.state");
}

test("a second process is told which file, who has it and what to do; a killed one stops nobody", async () => {
  const options = { zmq: {}, state: { path: await stateFile() } };
  const first = await busProcess(options);
  expect(first.state).toBe("running");
  const second = await busProcess(options);
  expect(second.state).toStrictEqual({
    code: "PLUGIN_START_FAILED", text: `misp/0: state.path: ${options.state.path} is in use by process ${first.pid}`, hint: "end that one, or give each MISP a state.path of its own",
  });
  await first.kill();
  expect(existsSync(`${options.state.path}.lock`)).toBe(true);
  expect((await busProcess(options)).state).toBe("running");
});

test("two MISPs of one bus cannot share one either, and it is free again when that bus has given up", async () => {
  const path = await stateFile();
  const options = { zmq: {}, state: { path } };
  const both = await busProcess([options, options]);
  expect(both.state).toMatchObject({ code: "PLUGIN_START_FAILED", text: `misp/1: state.path: ${path} is in use by another MISP of this process` });
  expect((await busProcess(options)).state).toBe("running");
});
