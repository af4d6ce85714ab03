import { connect, type Client, type ConnectOptions } from "@threatbus/zmq-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { coreUrl, freePorts, indicator, on, Workshop, type Program } from "./program.ts";

const scale = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);

let workshop: Workshop;
let clients: Client[] = [];

beforeEach(() => {
  workshop = new Workshop();
});
afterEach(async () => {
  await workshop.clean();
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
});

async function join(manage: number, options: ConnectOptions = {}): Promise<Client> {
  const client = await connect({ manage, linger: 0, ...options });
  clients.push(client);
  return client;
}

/** A configuration with one app written in place, without zmq. */
function withApp(body: string, more = ""): string[] {
  workshop.write(
    "own.mjs",
    `import { message } from ${JSON.stringify(coreUrl)};
     const indicator = ${JSON.stringify(indicator(1))};
     const own = () => ({ kind: "app", name: "own", create: (host) => ({ async start(bus) {}, async stop() {}, ${body} }) });
     export default Object.assign(own, { kind: "app", contract: 1 });`,
  );
  return ["-c", workshop.write("own.yaml", `plugins:\n  backbones: {inmem: {}}\n  apps: {own: {package: ./own.mjs}}\n${more}`)];
}

async function running(program: Program): Promise<void> {
  await expect.poll(() => program.stdout + program.stderr).toMatch(/is running|"text":"running"/);
}

describe("a run", () => {
  test("takes apps on its ports, tells so, and ends on SIGTERM and SIGINT", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const ports = await freePorts();
      const program = workshop.start(on(ports));
      await running(program);
      expect(program.stdout).toContain(`apps join at 127.0.0.1:${ports.manage}`);
      const client = await join(ports.manage);
      const subscription = await client.subscribe("stix2/indicator");
      await client.publish(indicator(1) as never);
      for await (const message of subscription) {
        expect(message.body).toEqual(indicator(1));
        break;
      }
      program.child.kill(signal);
      expect(await program.ended).toEqual({ code: 0, signal: null });
      expect(program.stderr).toMatch(/stopped published=\d+ .*delivered=1 .*dropped=0/);
      expect(program.stderr + program.stdout).not.toContain("\u001b");
    }
  });

  test("SIGTERM under load: everything accepted is delivered", async () => {
    const ports = await freePorts();
    const program = workshop.start([...on(ports), "--log-format", "json", "--set", "queue.max_items=1000000", "--set", "shutdown_timeout=60"]);
    await running(program);
    const [sender, receiver] = [await join(ports.manage), await join(ports.manage)];
    const subscription = await receiver.subscribe("stix2/indicator", { buffer: 100_000 });
    let received = 0, next = 0, loading = true;
    const seen = new Set<string>();
    void (async () => {
      for await (const { type, body } of subscription) if (type === "indicator" && ++received) seen.add(body.id);
    })();
    const load = (async () => {
      while (loading) await sender.publish(indicator(next++) as never).catch(() => (loading = false));
    })();
    await expect.poll(() => received).toBeGreaterThan(5_000 * scale);
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 0, signal: null });
    loading = false;
    const stopped = program.entry("stopped");
    expect(stopped).toMatchObject({ dropped: 0, refused: 0, undecodable: 0, failed: 0, unmatched: 0 });
    await expect.poll(() => received).toBe(stopped?.["delivered"]);
    expect(seen.size).toBe(received);
    expect(subscription.stats.lost).toBe(0);
    await sender.close();
    await load;
  });

  test("SIGTERM while an app stands still: the bus ends, and what the app did not take is counted to the message", async () => {
    const ports = await freePorts();
    const program = workshop.start([...on(ports), "--log-format", "json", "--set", "shutdown_timeout=0.5"]);
    await running(program);
    const client = await join(ports.manage);
    const still = workshop.start(["tail", "stix2/indicator", "--manage", String(ports.manage)]);
    let sent = 0;
    const send = (): Promise<void> => client.publish({ ...indicator(sent++), description: "x".repeat(4_000) } as never);
    await expect.poll(async () => {
      if (still.stdout === "") await send();
      return still.stdout;
    }).not.toBe("");
    still.child.kill("SIGSTOP");
    for (let n = 0; n < 6_000; n++) await send();
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 1, signal: null });
    const { delivered, dropped, unmatched, published } = program.entry("stopped") ?? {};
    expect(program.entry("ended with a failure")).toMatchObject({ error: { code: "BUS_STOP_INCOMPLETE", message: `${String(dropped)} messages were left undelivered after 0.5 s` } });
    expect(dropped).toBeGreaterThan(0);
    expect(Number(delivered) + Number(dropped) + Number(unmatched)).toBe(published);
  });

  test("a second signal ends it at once", async () => {
    for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
      const program = workshop.start(withApp("stop: () => new Promise(() => {})"));
      await running(program);
      program.child.kill(signal);
      await expect.poll(() => program.stderr).toContain("stopping");
      program.child.kill(signal);
      expect(await program.ended).toEqual({ code, signal: null });
      expect(program.stderr).not.toContain("stopped");
    }
  });

  test("a plugin that hangs in stop is named, and the bus ends", async () => {
    const program = workshop.start(withApp("stop: () => new Promise(() => {})"));
    await running(program);
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.stderr).toContain("threatbus: own: no end after 3 s");
  });

  test("messages left undelivered are counted: exit 1", async () => {
    const start = `async start(bus) {
      await bus.subscribe("stix2/", () => new Promise(() => {}));
      for (let n = 0; n < 7; n++) await bus.publish(message(structuredClone(indicator)));
    }`;
    const program = workshop.start(withApp(start, "shutdown_timeout: 0.2\n"));
    await running(program);
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 1, signal: null });
    expect(program.stderr).toContain("threatbus: 7 messages were left undelivered");
  });

  test("a signal while it starts ends the start", async () => {
    const program = workshop.start(withApp(`async start() { process.stdout.write("waiting"); await new Promise(() => {}); }`));
    await expect.poll(() => program.stdout).toContain("waiting");
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(program.stdout).not.toContain("is running");
  });

  test.each([
    ["an exception", `setTimeout(() => { throw new Error("own fault"); }, 1)`],
    ["a rejection", `void Promise.reject(new Error("own fault"))`],
  ])("%s that nobody handles: logged, drained, exit 70", async (_name, fault) => {
    const program = workshop.start([...withApp(`async start() { ${fault}; }, async stop() { process.stdout.write("own stopped"); }`), "--log-format", "json"]);
    expect(await program.ended).toEqual({ code: 70, signal: null });
    expect(program.entry("a fault that nothing handled; ending")).toMatchObject({ severity: "CRITICAL", error: { message: "own fault" } });
    expect(program.stdout).toContain("own stopped");
  });

  test("nobody reads its output any more: it goes on", async () => {
    const ports = await freePorts();
    const program = workshop.start([...on(ports), "--verbose"]);
    program.child.stdout?.destroy();
    program.child.stderr?.destroy();
    // Nothing tells that it runs: it is waited for.
    const client = await join(ports.manage, { requestTimeout: 60_000 });
    for (let n = 0; n < 3; n++) await (await client.subscribe("stix2/")).close();
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });
});

describe("a start that fails", () => {
  test.each(["manage", "pub", "sub"] as const)("the %s port is taken: exit 69, naming port and option", async (option) => {
    const ports = { ...(await freePorts()), [option]: await workshop.occupy() };
    const { code, stderr, stdout } = await workshop.run(on(ports));
    expect(code).toBe(69);
    expect(stderr).toContain(`port ${ports[option]} on 127.0.0.1 is taken`);
    expect(stderr).toContain(`plugins.apps.zmq.${option}`);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe("");
  });

  test("all problems of the configuration at once, with line and column, and no socket is opened: exit 78", async () => {
    const taken = await workshop.occupy();
    workshop.write(
      "config.yaml",
      `logging:\n  consol: true\nplugins:\n  backbones: {inmem: {}}\n  apps:\n    zmq: {manage: ${taken}, pub: 80000}\n    nope: {key: s3cr3t-value}\nqueue: {overflow: explode}\n`,
    );
    const { code, stderr } = await workshop.run(["--set", "shutdown_timeout=-1"]);
    expect(code).toBe(78);
    expect(stderr).toContain("5 problems");
    for (const problem of [/config\.yaml:2:3 +logging\.consol: .*\n +did you mean "console"/, /config\.yaml:6:\d+ +plugins\.apps\.zmq\.pub/, /config\.yaml:7:5 +plugins\.apps\.nope: .*not installed/, /config\.yaml:8:\d+ +queue\.overflow/, /--set shutdown_timeout/]) {
      expect(stderr).toMatch(problem);
    }
    expect(stderr).not.toContain("taken");
    expect(stderr).not.toContain("s3cr3t-value");
  });

  test("a problem with an option that holds a secret says what was expected", async () => {
    workshop.write("config.yaml", "plugins:\n  backbones: {inmem: {}}\n  apps: {zmq: {curve: {token: s3cr3t}}}\n");
    const { stderr } = await workshop.run([]);
    expect(stderr).toContain("plugins.apps.zmq.curve.token: unknown option");
    expect(stderr).not.toContain("s3cr3t");
  });

  test("a plugin that throws in start: exit 69, with its name and without a stack, credentials or control characters", async () => {
    const { code, stderr } = await workshop.run(withApp(`async start() { throw new Error("no such tool at amqp://me:pw@host\\u001b[2J"); }`));
    expect(code).toBe(69);
    expect(stderr).toContain("threatbus: own: no such tool at amqp://***@host\\u{1b}[2J");
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("a file that is not there: exit 78", async () => {
    const { code, stderr } = await workshop.run(["-c", "none.yaml"]);
    expect(code).toBe(78);
    expect(stderr).toMatch(/none\.yaml.*\n +hint: /);
  });
});
