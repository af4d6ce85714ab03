import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { redactConfig } from "../src/config.ts";
import { failure, Installation, optionsOf } from "./installation.ts";

let place: Installation;
beforeEach(() => {
  place = new Installation().usual();
});
afterEach(() => {
  place.remove();
});

const plugins = "plugins: {backbones: {inmem: }, apps: {zmq: }}\n";

const load: Installation["load"] = (text, options) => place.load(text, options);

describe("the file", () => {
  test("without one, the quick start runs", async () => {
    const config = await load();
    expect(config.origin).toBe("built-in quick start");
    expect(config.file).toBeUndefined();
    expect(config.bus.backbones.map(({ name }) => name)).toEqual(["inmem"]);
    expect(config.bus.apps.map(({ name }) => name)).toEqual(["zmq"]);
    expect(config.bus.queue).toEqual({ maxItems: 10_000, maxBytes: 67_108_864, overflow: "drop_oldest", ackHold: 30_000 });
    expect(config.bus.drainTimeout).toBe(10_000);
    expect(config.metrics).toBeUndefined();
    expect(config.logging).toEqual({
      console: true,
      console_verbosity: "INFO",
      file: false,
      file_verbosity: "INFO",
      filename: "threatbus.log",
    });
  });

  test("config.yaml comes before config.yml, and -c before both", async () => {
    place.write("config.yml", `${plugins}shutdown_timeout: 1`);
    expect((await load()).bus.drainTimeout).toBe(1_000);
    expect((await load(`${plugins}shutdown_timeout: 2`)).bus.drainTimeout).toBe(2_000);
    place.write("elsewhere/mine.conf", `${plugins}shutdown_timeout: 3`);
    const config = await load(undefined, { file: "elsewhere/mine.conf" });
    expect(config.bus.drainTimeout).toBe(3_000);
    expect(config.file).toBe(`${place.folder}/elsewhere/mine.conf`);
  });

  test.each(["missing.yaml", ".", "config.yaml/inside"])("-c %s cannot be read", async (file) => {
    expect((await failure(load(plugins, { file }))).code).toBe("CONFIG_NOT_FOUND");
  });

  test("sections may be empty, whole numbers may name a host, yes and no are what the option wants", async () => {
    const config = await load(
      `logging:\nqueue:\nmetrics:\nplugins:\n  backbones:\n    inmem:\n  apps:\n    zmq: {durable: no, mode: safe, host: 007, tags: [no, 1.50, "yes", on]}\n`,
    );
    expect(optionsOf(config)).toEqual({
      durable: false,
      mode: "safe",
      host: "007",
      tags: ["no", "1.50", "yes", "on"],
      pub: 13_371,
      config: {},
    });
  });

  test("anchors and merge keys work", async () => {
    const config = await load(`${plugins.replace("{zmq: }", "{zmq: {<<: &d {host: a, pub: 5}, pub: 6, config: *d}}")}`);
    expect(optionsOf(config)).toMatchObject({ host: "a", pub: 6, config: { host: "a", pub: 5 } });
  });

  test("a plugin may stand under another name, or be a file beside the configuration", async () => {
    place.install("somewhere", "app.js").write("mine.mjs", "export { default } from 'somewhere';");
    const config = await load(
      "plugins:\n  backbones: {inmem: {}}\n  apps:\n    first: {package: '@threatbus/zmq', pub: 5}\n    second: {package: ./mine.mjs}\n",
    );
    expect(config.bus.apps.map(({ name }) => name)).toEqual(["first", "second"]);
    expect(config.plugins.map((plugin) => plugin.package)).toEqual(["@threatbus/inmem", "@threatbus/zmq", "./mine.mjs"]);
    expect(optionsOf(config)).toMatchObject({ pub: 5 });
    expect(config.values).toMatchObject({ plugins: { apps: { first: { package: "@threatbus/zmq" } } } });
  });
});

describe("a plugin several times, as a list", () => {
  test("each element is one, named by its key or by its name, with options of its own", async () => {
    place.install("somewhere", "app.js");
    const config = await load(
      "plugins:\n  backbones: {inmem: {}}\n  apps:\n    zmq:\n      - {pub: 5}\n      - {pub: 6, instance: partner}\n      - {pub: 7, durable: no}\n      - {package: somewhere, pub: 8}\n",
      { set: ["plugins.apps.zmq.0.host=a"], env: { THREATBUS_PLUGINS__APPS__ZMQ__1__HOST: "b" } },
    );
    expect(config.bus.apps.map(({ name }) => name)).toEqual(["zmq", "partner", "zmq-3", "zmq-4"]);
    expect(config.plugins.map(({ name, path }) => `${name} ${path.join(".")}`)).toContain("partner plugins.apps.zmq.1");
    expect(config.values).toMatchObject({ plugins: { apps: { zmq: [{ pub: 5, host: "a" }, { pub: 6, instance: "partner", host: "b" }, { durable: false }, { package: "somewhere" }] } } });
  });

  test.each([
    ["[{pub: 80000}]", "config.yaml:2:54  plugins.apps.zmq.0.pub: expected integer"],
    ["[{}, {prt: 5}]", "config.yaml:2:53  plugins.apps.zmq.1.prt: unknown option"],
    ["[{instance: Lab}]", "plugins.apps.zmq.0.instance: expected a name of lower-case letters"],
    ["{instance: 5}", "plugins.apps.zmq.instance: expected a name"],
    ["[{}, {instance: zmq}]", "plugins.apps.zmq.1: two plugins are named zmq"],
    ["{instance: inmem}", "plugins.apps.zmq: two plugins are named inmem"],
    ["[5]", "plugins.apps.zmq.0: expected a section"],
    ["[]", "plugins.apps.zmq: expected a section"],
    ["{name: alone}", "plugins.apps.zmq.name: unknown option"],
  ])("%s: %s", async (list, words) => {
    const error = await failure(load(`# one\nplugins: {backbones: {inmem: {}}, apps: {zmq: ${list}}}\n`));
    expect(error.message).toContain(words);
  });
});

describe("problems", () => {
  test("all are told at once, with line, column, path and a hint", async () => {
    const error = await failure(
      load(`logging:
  console_verbosity: WARNIN
  fle: true
queue: {max_items: 0, max_items: 3}
metrics: {host: localhost}
plugins:
  backbones:
    inmem: {}
    rabit: {}
  apps:
    zmq:
      prt: 5
      pub: 80000
      api: {key: s3cret-value, url: 5}
    Zeek: 7
`),
    );
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message.split("\n")).toEqual([
      "config.yaml: 10 problems",
      "  config.yaml:4:23  queue.max_items: this key is there twice",
      '  config.yaml:2:22  logging.console_verbosity: expected one of "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", this is a text',
      '      did you mean "WARNING"?',
      "  config.yaml:3:3  logging.fle: unknown option",
      '      did you mean "file"?',
      "  config.yaml:5:1  metrics.port: is required: expected integer from 1 to 65535",
      "  config.yaml:4:20  queue.max_items: expected integer of at least 1",
      expect.stringContaining("  config.yaml:9:5  plugins.backbones.rabit: @threatbus/rabit or threatbus-plugin-rabit is not installed"),
      `      run: npm install @threatbus/rabit   (in ${place.folder})`,
      "  config.yaml:13:12  plugins.apps.zmq.pub: expected integer from 1 to 65535",
      "  config.yaml:14:7  plugins.apps.zmq.api.ssl: is required: expected true or false",
      "  config.yaml:12:7  plugins.apps.zmq.prt: unknown option",
      expect.stringMatching(/ {6}(did you mean|known:)/),
      "  config.yaml:15:11  plugins.apps.Zeek: expected a section with the plugin's options",
    ]);
    expect(error.issues.every((issue) => issue.path !== undefined)).toBe(true);
  });

  test.each([
    ["\tlogging: {}", "config.yaml:1:1: a tab cannot indent"],
    ["logging: {console: true", "config.yaml:1:24: wrong indentation, or a bracket left open"],
    ["logging: yes: no", "config.yaml:1:10: a nested value cannot start on this line"],
    ["a: 1\n---\nb: 2", "config.yaml:2:1: a second document begins here"],
    ['plugins: "s3cret" s3cret', "config.yaml:1:19: "],
    ["- a\n- b", "config.yaml:1:1: expected a section"],
    ["plugins: *nobody", "config.yaml:1:10  plugins: an alias without an anchor"],
    ["plugins: &a {apps: *a}", "config.yaml:1:20  plugins.apps: an alias to what it stands in"],
    ["plugins: !!js/function 'x'", "config.yaml:1:10: unknown tag"],
    ["? [a, b]\n: 1", "config.yaml:1:3: a key must be a text"],
    ["__proto__: {polluted: 1}", "config.yaml:1:1: __proto__ cannot be a key"],
    ["", "config.yaml  plugins: is required"],
    ["plugins: {apps: {}}", "config.yaml:1:1  plugins.backbones: a bus needs a backbone"],
    ["x: {y: {}}", "config.yaml:1:1  x: unknown option\n      known: logging"],
    [
      "plugins: {backbones: {inmem: }, apps: {zmq: {api: {url: 'http://me:s3cret@x', key: s3cret, ssl: s3cret}}}}",
      "ssl: expected true or false, this is a text",
    ],
    ["plugins: {backbones: {inmem: {lazy: yes}}}", "plugin failed on its options"],
    ["plugins: {backbones: {inmem: {package: 5}}}", "config.yaml:1:40  plugins.backbones.inmem.package: expected the name"],
    ["plugins: {backbones: {inmem: {package: fs}}}", "package is the name of an npm package"],
    ["plugins: {backbones: {inmem: {package: /etc/x}}}", "package is the name of an npm package"],
    ["plugins: {backbones: {../../x: }}", "a plugin's name is lower-case letters"],
  ])("%j", async (text, expected) => {
    if (text.includes("lazy"))
      place.installText(
        "@threatbus/inmem",
        "const inmem = () => { throw new Error('no'); }; export default Object.assign(inmem, { kind: 'backbone', contract: 1 });",
      );
    const error = await failure(load(text));
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toContain(expected);
    expect(error.message).not.toContain("s3cret");
  });

  test("a schema that repeats secrets cannot tell them", async () => {
    place.install("threatbus-plugin-leaky", "leaky.js");
    const error = await failure(load("plugins: {backbones: {inmem: }, apps: {leaky: {host: h, token: Tr0ub4dor}}}"));
    expect(error.message).toContain("plugins.apps.leaky.token: is not valid");
    expect(error.message).toContain("plugins.apps.leaky.host: cannot log in with ***");
    expect(JSON.stringify(error.issues)).not.toContain("Tr0ub4dor");
  });

  test("too large, not UTF-8, too deep, too many values", async () => {
    expect((await failure(load(`${plugins}#${"x".repeat(1_048_576)}`))).message).toContain("larger than 1048576 bytes");
    place.write("bytes.yaml", new Uint8Array([0x61, 0x3a, 0xff]));
    expect((await failure(load(undefined, { file: "bytes.yaml" }))).message).toContain("is not UTF-8 text");
    expect((await failure(load(`a: ${"[".repeat(100)}${"]".repeat(100)}`))).message).toContain("nested too deeply");
    expect((await failure(load(`a: ${"[".repeat(400_000)}`))).code).toBe("CONFIG_INVALID");
    const bomb = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? "x" : Array.from({ length: 10 }, () => `*a${i - 1}`).join(",")}]`,
    ).join("\n");
    expect((await failure(load(bomb))).message).toContain("more than 100000 values");
  });
});

test("redactConfig blots out secrets and the user part of URLs, and nothing else", () => {
  const config = {
    url: "amqp://me:pw@host/x",
    username: "me",
    api: { key: 5, public_key: "p", ssl: true },
    "sasl.password": "x",
    list: [{ token: ["a"] }],
    secretKey: "s",
  };
  expect(redactConfig(config)).toEqual({
    url: "amqp://***@host/x",
    username: "***",
    api: { key: "***", public_key: "p", ssl: true },
    "sasl.password": "***",
    list: [{ token: ["***"] }],
    secretKey: "***",
  });
});
