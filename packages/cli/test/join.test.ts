import { connect, type Client } from "@threatbus/zmq-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { freePorts, indicator, on, Workshop, type Ports, type Program } from "./program.ts";


const house: Workshop = new Workshop();
let workshop: Workshop, bus: Program, ports: Ports, client: Client;

beforeAll(async () => {
  ports = await freePorts();
  bus = house.start(on(ports));
  client = await connect({ manage: ports.manage, requestTimeout: 60_000 });
});
afterAll(async () => {
  await client.close();
  await house.clean();
});
beforeEach(() => {
  workshop = new Workshop();
});
afterEach(() => workshop.clean());

const there = (): string[] => ["--manage", String(ports.manage)];

/** Starts a tail and sends it messages of its own until it shows one: then it is joined. */
async function tail(...args: string[]): Promise<Program> {
  const program = workshop.start(["tail", ...there(), ...args]);
  await expect.poll(async () => {
    if (program.stdout === "") await client.publish(indicator(0) as never);
    return program.stdout;
  }).not.toBe("");
  return program;
}

describe("tail", () => {
  test("shows messages as they come, one line each, without control characters", async () => {
    const program = await tail();
    await client.publish({ ...indicator(1), name: "n", pattern: "[file:name = '\u001b[2J\u202e']" } as never);
    await client.publish({ ...indicator(2), x_threatbus_update: "REMOVE" } as never);
    await client.publish({ topic: "sigma/rule", payload: "title: A \u0007rule\ndetection:\n  a: b\n" });
    await client.publish({ topic: "yara/rule", payload: "rule mine { condition: true }" });
    await expect.poll(() => program.stdout).toContain("YARA mine");
    expect(program.stdout).toContain("[file:name = '\\u{1b}[2J\\u{202e}']");
    expect(program.stdout).toMatch(/indicator +\[ipv4-addr:value = '10\.0\.0\.2'\] \(REMOVE\) +indicator--/);
    expect(program.stdout).toContain("Sigma A \\u{7}rule");
    expect(program.stdout).toMatch(/^[\x20-\x7e\n…]*$/);
    program.child.kill("SIGINT");
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });

  test("--json, --type, --match and --count", async () => {
    const json = await tail("--json", "--count", "2", "--type", "indicator", "--type", "rule", "--match", "10.0.0.");
    await client.publish({ topic: "sigma/rule", payload: "title: Other\ndetection:\n  a: b\n" });
    await client.publish({ topic: "sigma/rule", payload: "title: 10.0.0.9\ndetection:\n  a: \u001b\n" });
    expect(await json.ended).toEqual({ code: 0, signal: null });
    const lines = json.stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([indicator(0), { type: "rule", body: "title: 10.0.0.9\ndetection:\n  a: \u001b\n" }]);
    expect(json.stdout).not.toContain("\u001b");
  });

  test("ends when nobody reads it any more", async () => {
    const program = await tail();
    program.child.stdout?.destroy();
    await expect.poll(async () => {
      await client.publish(indicator(3) as never);
      return program.child.exitCode;
    }).toBe(0);
  });

  test("nobody there: exit 69, with where it looked", async () => {
    const { manage } = await freePorts();
    const { code, stderr } = await workshop.run(["tail", "--manage", String(manage)]);
    expect(code).toBe(69);
    expect(stderr).toMatch(new RegExp(`no bus answers at 127\\.0\\.0\\.1:${manage}\n +hint: `));
  });
});

describe("publish", () => {
  test("objects, lists, bundles, lines, rules and standard input; each is told, each arrives", async () => {
    const received: unknown[] = [];
    const subscription = await client.subscribe(["stix2/", "sigma/", "yara/"]);
    const reading = (async () => {
      for await (const { body } of subscription) received.push(body);
    })();
    const sigma = "title: Mine\ndetection:\n  a: b\n", yara = "rule mine { condition: true }";
    workshop.write("one.json", JSON.stringify(indicator(10), undefined, 2));
    workshop.write("list.json", JSON.stringify([indicator(11), indicator(12)]));
    workshop.write("bundle.json", JSON.stringify({ type: "bundle", id: "bundle--00000000-0000-4000-8000-000000000000", objects: [indicator(13)] }));
    workshop.write("lines.ndjson", `${JSON.stringify(indicator(14))}\n\n${JSON.stringify(indicator(15))}`);
    workshop.write("mine.yml", sigma);
    workshop.write("mine.yar", yara);
    const files = ["one.json", "list.json", "bundle.json", "lines.ndjson", "mine.yml", "mine.yar", "-"];
    const { code, stdout } = await workshop.run(["publish", ...there(), ...files], { input: JSON.stringify(indicator(16)) });
    expect(stdout).toContain("9 on the bus, 0 not");
    expect(code).toBe(0);
    for (const place of ["one.json", "list.json[0]", "list.json[1]", "bundle.json[0]", "lines.ndjson:1", "lines.ndjson:3", "mine.yml", "mine.yar", "standard input"]) {
      expect(stdout).toContain(`${place}: on the bus\n`);
    }
    await expect.poll(() => received.length).toBeGreaterThanOrEqual(9);
    await subscription.close();
    await reading;
    for (const body of [indicator(10), indicator(11), indicator(12), indicator(13), indicator(14), indicator(15), indicator(16), sigma, yara]) expect(received).toContainEqual(body);
  });

  test("what is refused is told with the reason, the rest is sent: exit 1", async () => {
    workshop.write("mixed.json", JSON.stringify([indicator(20), { ...indicator(21), pattern: "[broken" }, { type: "indicator", id: "x" }, 5]));
    workshop.write("bad.json", '{"type": "indicator", ');
    workshop.write("twice.json", '{"type":"indicator","type":"sighting"}');
    workshop.write("bad.yar", "no rule");
    workshop.write("empty.ndjson", "\n");
    const { code, stdout } = await workshop.run(["publish", ...there(), "--json", "mixed.json", "bad.json", "twice.json", "bad.yar", "empty.ndjson", "none.json"]);
    expect(code).toBe(1);
    const told = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(new Map(told.map(({ where, outcome, detail }) => [where, `${String(outcome)} ${/^\w+/.exec(String(detail))?.[0] ?? ""}`]))).toEqual(
      new Map([
        ["mixed.json[0]", "seen undefined"],
        ["mixed.json[1]", "refused pattern"],
        ["mixed.json[2]", "refused id"],
        ["mixed.json[3]", "refused type"],
        ["bad.json", "refused json"],
        ["twice.json", "refused keys"],
        ["bad.yar", "refused rule"],
        ["empty.ndjson", "refused nothing"],
        ["none.json", "unreadable ENOENT"],
      ]),
    );
  });

  test("many objects, the same one twice among them, all come back", async () => {
    const many = [...Array(3_000).keys()].map((number) => indicator(1_000 + number));
    workshop.write("many.ndjson", [...many, many[0]].map((object) => JSON.stringify(object)).join("\n"));
    expect(await workshop.run(["publish", ...there(), "--quiet", "many.ndjson"])).toMatchObject({ code: 0, stdout: "3001 on the bus, 0 not\n" });
  });

  test("nobody there: exit 69", async () => {
    const { manage } = await freePorts();
    workshop.write("one.json", JSON.stringify(indicator(30)));
    expect((await workshop.run(["publish", "--manage", String(manage), "one.json"])).code).toBe(69);
  });
});

describe("snapshot", () => {
  test("prints the history that apps answer with, as lines of JSON, and ends when it is quiet", async () => {
    const responder = await client.onSnapshotRequest(async function* ({ snapshot_type, snapshot }) {
      if (snapshot_type !== 1) return;
      yield { ...indicator(40), x_span: snapshot } as never;
      yield indicator(41) as never;
    });
    const { code, stdout, stderr } = await workshop.run(["snapshot", ...there(), "--since", "2w", "--wait", "4", "stix2/indicator"]);
    await responder.close();
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as unknown)).toEqual([{ ...indicator(40), x_span: 14 * 86_400 }, indicator(41)]);
    expect(stderr).toBe("2 objects\n");
  });
});

describe("where the bus is", () => {
  test("comes from -c, encrypted too", async () => {
    const keyed = await freePorts();
    await workshop.run(["keygen", "bus.key"]);
    workshop.write("authorized", (await workshop.run(["keygen", "me.key"])).stdout);
    workshop.write(
      "bus.yaml",
      `plugins:\n  backbones: {inmem: {}}\n  apps:\n    zmq: {host: "*", manage: ${keyed.manage}, pub: ${keyed.pub}, sub: ${keyed.sub}, curve: {secret_key_file: ${workshop.folder}/bus.key, authorized_keys_file: ${workshop.folder}/authorized}}\n`,
    );
    workshop.write("one.json", JSON.stringify(indicator(50)));
    const keyedBus = workshop.start(["-c", "bus.yaml"]);
    await expect.poll(() => keyedBus.stdout).toContain("is running");
    const known = await workshop.run(["publish", "-c", "bus.yaml", "--key-file", "me.key", "one.json"]);
    expect(known.stdout).toContain("1 on the bus, 0 not");
    expect((await workshop.run(["publish", "-c", "bus.yaml", "one.json"])).code).toBe(69);
    keyedBus.child.kill("SIGTERM");
    expect((await keyedBus.ended).code).toBe(0);
  });
});

test("the bus of these tests ends well", async () => {
  await client.close();
  bus.child.kill("SIGTERM");
  expect(await bus.ended).toEqual({ code: 0, signal: null });
});
