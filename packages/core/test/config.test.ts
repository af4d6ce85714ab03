import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig, mispShortcut, redactConfig, setOverride, zeekShortcut, type LoadConfigOptions, type LoadedConfig } from "../src/config.ts";
import { isThreatbusError, type ThreatbusError } from "../src/errors.ts";
import { Installation } from "./installation.ts";

let place: Installation;
beforeEach(() => {
  place = new Installation().usual();
});
afterEach(() => {
  place.remove();
});

const plugins = "plugins: {backbones: {inmem: }, apps: {zmq: }}\n";

function load(text?: string, options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  if (text !== undefined) place.write("config.yaml", text);
  return loadConfig({ cwd: place.folder, env: {}, ...options });
}

async function failure(loading: Promise<unknown>): Promise<ThreatbusError> {
  const error: unknown = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isThreatbusError(error)) throw new Error("expected a ThreatbusError", { cause: error });
  return error;
}

const host = { name: "" } as never;
const optionsOf = (config: LoadedConfig): unknown => config.bus.apps[0]?.create(host);

describe("the file", () => {
  test("without one, the quick start runs", async () => {
    const config = await load();
    expect(config.origin).toBe("built-in quick start");
    expect(config.file).toBeUndefined();
    expect(config.bus.backbones.map(({ name }) => name)).toEqual(["inmem"]);
    expect(config.bus.apps.map(({ name }) => name)).toEqual(["zmq"]);
    expect(config.bus.queue).toEqual({ maxItems: 10_000, maxBytes: 67_108_864, overflow: "drop_oldest" });
    expect(config.bus.stopTimeout).toBe(10_000);
    expect(config.metrics).toBeUndefined();
    expect(config.logging).toEqual({ console: true, console_verbosity: "INFO", file: false, file_verbosity: "INFO", filename: "threatbus.log" });
  });

  test("config.yaml comes before config.yml, and -c before both", async () => {
    place.write("config.yml", `${plugins}shutdown_timeout: 1`);
    expect((await load()).bus.stopTimeout).toBe(1_000);
    expect((await load(`${plugins}shutdown_timeout: 2`)).bus.stopTimeout).toBe(2_000);
    place.write("elsewhere/mine.conf", `${plugins}shutdown_timeout: 3`);
    const config = await load(undefined, { file: "elsewhere/mine.conf" });
    expect(config.bus.stopTimeout).toBe(3_000);
    expect(config.file).toBe(`${place.folder}/elsewhere/mine.conf`);
  });

  test.each(["missing.yaml", ".", "config.yaml/inside"])("-c %s cannot be read", async (file) => {
    expect((await failure(load(plugins, { file }))).code).toBe("CONFIG_NOT_FOUND");
  });

  test("sections may be empty, whole numbers may name a host, yes and no are what the option wants", async () => {
    const config = await load(`logging:\nqueue:\nmetrics:\nplugins:\n  backbones:\n    inmem:\n  apps:\n    zmq: {durable: no, mode: safe, host: 007, tags: [no, 1.50, "yes", on]}\n`);
    expect(optionsOf(config)).toEqual({ durable: false, mode: "safe", host: "007", tags: ["no", "1.50", "yes", "on"], pub: 13_371, config: {} });
  });

  test("anchors and merge keys work", async () => {
    const config = await load(`${plugins.replace("{zmq: }", "{zmq: {<<: &d {host: a, pub: 5}, pub: 6, config: *d}}")}`);
    expect(optionsOf(config)).toMatchObject({ host: "a", pub: 6, config: { host: "a", pub: 5 } });
  });

  test("a plugin may stand under another name, or be a file beside the configuration", async () => {
    place.install("somewhere", "app.js").write("mine.mjs", "export { default } from 'somewhere';");
    const config = await load("plugins:\n  backbones: {inmem: {}}\n  apps:\n    first: {package: '@threatbus/zmq', pub: 5}\n    second: {package: ./mine.mjs}\n");
    expect(config.bus.apps.map(({ name }) => name)).toEqual(["first", "second"]);
    expect(config.plugins.map((plugin) => plugin.package)).toEqual(["@threatbus/inmem", "@threatbus/zmq", "./mine.mjs"]);
    expect(optionsOf(config)).toMatchObject({ pub: 5 });
    expect(config.values).toMatchObject({ plugins: { apps: { first: { package: "@threatbus/zmq" } } } });
  });
});

describe("environment and command line", () => {
  const path = "THREATBUS_PLUGINS__APPS__ZMQ__";

  test(".env beats the file, the environment beats .env, the command line beats all", async () => {
    place.write(".env", `${path}PUB=2\n${path}HOST='from .env'\n${path}MODE=safe\n`);
    const text = plugins.replace("{zmq: }", "{zmq: {pub: 1, host: file, durable: false, mode: fast}}");
    const config = await load(text, { env: { [`${path}PUB`]: "3", [`${path}HOST`]: "" }, set: ["plugins.apps.zmq.pub=4"] });
    expect(optionsOf(config)).toMatchObject({ pub: 4, host: "from .env", durable: false, mode: "safe" });
  });

  test("names are matched without regard to case, dots and dashes; lists are reached by position", async () => {
    const text = plugins.replace("{zmq: }", "{zmq: {tags: [a, b], config: {Group.Id: 1}}}");
    const env = { [`${path}CONFIG__GROUP_ID`]: "x", [`${path}TAGS__1`]: "c", [`${path}TAGS__2`]: "d" };
    const config = await load(text, { env, set: ['plugins.apps.zmq.config."bootstrap.servers"=localhost:9092'] });
    expect(optionsOf(config)).toMatchObject({ tags: ["a", "c", "d"], config: { "Group.Id": "x", "bootstrap.servers": "localhost:9092" } });
  });

  test.each(["p#w", "a #b", "123", "1e3", "*x", "&a b", "a: b", "{x", "%", "@home", "!t", "it's", "\\", "yes"])("a text may be %s", async (text) => {
    const config = await load(plugins, { env: { [`${path}HOST`]: text } });
    expect(optionsOf(config)).toMatchObject({ host: text });
  });

  test("MISP_API_KEY beats the key of a configured API, and only the command line beats it", async () => {
    place.install("@threatbus/misp", "app.js");
    const text = "plugins: {backbones: {inmem: }, apps: {misp: {api: {url: u, ssl: yes, key: file}}}}";
    const env = { MISP_API_KEY: "12345678", THREATBUS_PLUGINS__APPS__MISP__API__KEY: "other" };
    expect(optionsOf(await load(text, { env }))).toMatchObject({ api: { key: "12345678" } });
    expect(optionsOf(await load(text, { env, set: ["plugins.apps.misp.api.key=mine"] }))).toMatchObject({ api: { key: "mine" } });
    expect((await load(plugins, { env: { MISP_API_KEY: "x" } })).values).not.toHaveProperty("plugins.apps.misp");
  });

  test("variables of other programs are let be, misspelt ones are not", async () => {
    await load(plugins, { env: { THREATBUS_TEST_SCALE: "3", THREATBUS_HOME: "/x", PATH: "/bin" } });
    const error = await failure(load(plugins, { env: { THREATBUS_SHUTDOWN_TIMOUT: "3", THREATBUS_LOGING__FILE: "yes" } }));
    expect(error.message).toContain('environment THREATBUS_SHUTDOWN_TIMOUT  shutdown_timout: unknown option\n      did you mean "shutdown_timeout"?');
    expect(error.message).toContain("environment THREATBUS_LOGING__FILE");
  });

  test("problems name where the value came from, not what it is", async () => {
    const error = await failure(load(plugins, { env: { [`${path}PUB`]: "hunter2x" }, set: ["plugins.apps.zmq.mode=sage", "logging.file.x=1", "logging=3"] }));
    expect(error.issues.map(({ message }) => message)).toHaveLength(3);
    expect(error.message).toContain(`environment ${path}PUB  plugins.apps.zmq.pub: expected integer from 1 to 65535, this is a text`);
    expect(error.message).toContain('--set plugins.apps.zmq.mode  plugins.apps.zmq.mode: expected one of "fast", "safe", this is a text\n      did you mean "safe"?');
    expect(error.message).toContain("--set logging  logging: expected section, this is a number");
    expect(error.message).not.toContain("hunter2");
  });

  test("a value cannot be set inside another value", async () => {
    const error = await failure(load(`${plugins}shutdown_timeout: 5`, { set: ["shutdown_timeout.x=1"] }));
    expect(error.message).toContain("--set shutdown_timeout.x  shutdown_timeout.x: shutdown_timeout (config.yaml:2:19) is no section to set this in");
  });

  test("-m and -z are short forms", () => {
    const short = (overrides: ReturnType<typeof mispShortcut>): unknown => overrides.map((one) => [one.path.slice(2).join("."), one.value]);
    expect(short(mispShortcut("https://misp.example.org:8443"))).toEqual([["misp.api.host", "https://misp.example.org:8443"], ["misp.api.ssl", true], ["misp.zmq.host", "misp.example.org"]]);
    expect(short(zeekShortcut("sensor"))).toEqual([["zeek.host", "sensor"]]);
    expect(short(zeekShortcut("[::1]:47761"))).toEqual([["zeek.host", "::1"], ["zeek.port", 47_761]]);
    expect(short(zeekShortcut("::1"))).toEqual([["zeek.host", "::1"]]);
  });

  test.each(["misp.example.org", "file:///etc/passwd", "https://user:pw@misp.example.org"])("-m refuses %s", (url) => {
    expect(() => mispShortcut(url)).toThrow("-m takes the URL");
  });

  test.each(["", "a:b", "a:1:2", "h:", "a b", "[::1"])("-z refuses %j", (text) => {
    expect(() => zeekShortcut(text)).toThrow("-z takes");
  });

  test.each(["", "a", "=1", "a..b=1", ".a=1", "__proto__.x=1", "a.constructor=1", "a.b c\"d=1"])("--set refuses %j", (text) => {
    expect(() => setOverride(text)).toThrow("--set takes");
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
    ["__proto__: {polluted: 1}", 'config.yaml:1:1: __proto__ cannot be a key'],
    ["", "config.yaml  plugins: is required"],
    ["plugins: {apps: {}}", "config.yaml:1:1  plugins.backbones: a bus needs a backbone"],
    ["x: {y: {}}", "config.yaml:1:1  x: unknown option\n      known: logging"],
    ["plugins: {backbones: {inmem: }, apps: {zmq: {api: {url: 'http://me:s3cret@x', key: s3cret, ssl: s3cret}}}}", "ssl: expected true or false, this is a text"],
    ["plugins: {backbones: {inmem: {lazy: yes}}}", "plugin failed on its options"],
    ["plugins: {backbones: {inmem: {package: 5}}}", "config.yaml:1:40  plugins.backbones.inmem.package: expected the name"],
    ["plugins: {backbones: {inmem: {package: fs}}}", "package is the name of an npm package"],
    ["plugins: {backbones: {inmem: {package: /etc/x}}}", "package is the name of an npm package"],
    ["plugins: {backbones: {../../x: }}", "a plugin's name is lower-case letters"],
  ])("%j", async (text, expected) => {
    if (text.includes("lazy")) place.installText("@threatbus/inmem", "export default Object.assign(() => { throw new Error('no'); }, { kind: 'backbone', pluginName: 'inmem', contract: 1 });");
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
    const bomb = Array.from({ length: 12 }, (_, i) => `a${i}: &a${i} [${i === 0 ? "x" : Array.from({ length: 10 }, () => `*a${i - 1}`).join(",")}]`).join("\n");
    expect((await failure(load(bomb))).message).toContain("more than 100000 values");
  });
});

test("redactConfig blots out secrets and the user part of URLs, and nothing else", () => {
  const config = { url: "amqp://me:pw@host/x", username: "me", api: { key: 5, public_key: "p", ssl: true }, "sasl.password": "x", list: [{ token: ["a"] }], secretKey: "s" };
  expect(redactConfig(config)).toEqual({ url: "amqp://***@host/x", username: "***", api: { key: "***", public_key: "p", ssl: true }, "sasl.password": "***", list: [{ token: ["***"] }], secretKey: "***" });
});
