import type { Finding } from "@threatbus/core";
import { fakeHost, fakeMisp, freePort, mispFeed } from "@threatbus/testkit";
import { systemClock } from "@threatbus/core";
import { expect, test } from "vitest";
import { misp } from "../src/index.ts";
import { atEnd } from "./stand.ts";

async function look(options: Parameters<typeof misp>[0], signal = AbortSignal.timeout(10_000), onFinding: (finding: Finding) => void = () => undefined): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of misp(options).create(fakeHost({ clock: systemClock })).probe?.(signal) ?? []) {
    found.push(finding);
    onFinding(finding);
  }
  return found;
}

const problems = (found: readonly Finding[]): string[] => found.filter(({ status }) => status === "problem").map(({ text, hint = "" }) => `${text} / ${hint}`);

test("all is well: the API answers, the key may, the feed lets us in, a sign of life comes", async () => {
  const feed = await mispFeed();
  atEnd(() => feed.stop());
  const api = await fakeMisp({ feed });
  atEnd(() => api.stop());
  api.library.addAttribute(api.addEvent(), {}, 1);
  const looking = look({ zmq: { host: "127.0.0.1", port: feed.port }, api: { host: api.url, key: api.key } });
  await feed.joined("misp_json_self");
  await feed.send("misp_json_self", { status: "x", uptime: 10 });
  const found = await looking;
  expect(found.map(({ status }) => status)).toStrictEqual(Array(5).fill("ok"));
  expect(found.map(({ text }) => text).join()).toMatch(/MISP 2\.5\.1 .*may add sightings.*may search.*lets us in.*sign of life/);
  expect(JSON.stringify(found)).not.toContain(api.key);
});

test("what is wrong is told with what to do: key, rights, silence, nobody there", async () => {
  const feed = await mispFeed();
  atEnd(() => feed.stop());
  const api = await fakeMisp();
  atEnd(() => api.stop());
  expect(problems(await look({ api: { host: api.url, key: "wrong" } }))).toStrictEqual([expect.stringMatching(/Authentication failed.* \/ check api\.key/)]);
  api.rights.sighting = false;
  expect(problems(await look({ api: { host: api.url, key: api.key } }))).toStrictEqual([expect.stringMatching(/may not add sightings \/ .*perm_sighting/)]);
  const patience = new AbortController();
  const silent = await look({ zmq: { host: "127.0.0.1", port: feed.port } }, patience.signal, ({ text }) => {
    if (text.includes("lets us in")) patience.abort();
  });
  expect(problems(silent)).toStrictEqual([expect.stringMatching(/nothing came.* \/ .*Plugin\.ZeroMQ_attribute_notifications_enable/)]);
  expect(problems(await look({ zmq: { host: "127.0.0.1", port: await freePort() } }, AbortSignal.timeout(200)))).toStrictEqual([expect.stringMatching(/nothing that speaks ZeroMQ .* \/ .*Plugin\.ZeroMQ_enable/)]);
  const locked = await mispFeed({ secret: { username: "misp", password: "s3cret" } });
  atEnd(() => locked.stop());
  expect(problems(await look({ zmq: { host: "127.0.0.1", port: locked.port, username: "misp", password: "wrong" } }))).toStrictEqual([expect.stringMatching(/refuses zmq\.username and zmq\.password \/ .*Plugin\.ZeroMQ_password/)]);
});
