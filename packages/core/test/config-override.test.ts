import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mispShortcut, setOverride, zeekShortcut } from "../src/config.ts";
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

  test.each(["p#w", "a #b", "123", "1e3", "*x", "&a b", "a: b", "{x", "%", "@home", "!t", "it's", "\\", "yes"])(
    "a text may be %s",
    async (text) => {
      const config = await load(plugins, { env: { [`${path}HOST`]: text } });
      expect(optionsOf(config)).toMatchObject({ host: text });
    },
  );

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
    expect(error.message).toContain(
      'environment THREATBUS_SHUTDOWN_TIMOUT  shutdown_timout: unknown option\n      did you mean "shutdown_timeout"?',
    );
    expect(error.message).toContain("environment THREATBUS_LOGING__FILE");
  });

  test("problems name where the value came from, not what it is", async () => {
    const error = await failure(
      load(plugins, { env: { [`${path}PUB`]: "hunter2x" }, set: ["plugins.apps.zmq.mode=sage", "logging.file.x=1", "logging=3"] }),
    );
    expect(error.issues.map(({ message }) => message)).toHaveLength(3);
    expect(error.message).toContain(`environment ${path}PUB  plugins.apps.zmq.pub: expected integer from 1 to 65535, this is a text`);
    expect(error.message).toContain(
      '--set plugins.apps.zmq.mode  plugins.apps.zmq.mode: expected one of "fast", "safe", this is a text\n      did you mean "safe"?',
    );
    expect(error.message).toContain("--set logging  logging: expected section, this is a number");
    expect(error.message).not.toContain("hunter2");
  });

  test("a value cannot be set inside another value", async () => {
    const error = await failure(load(`${plugins}shutdown_timeout: 5`, { set: ["shutdown_timeout.x=1"] }));
    expect(error.message).toContain(
      "--set shutdown_timeout.x  shutdown_timeout.x: shutdown_timeout (config.yaml:2:19) is no section to set this in",
    );
  });

  test("-m and -z are short forms", () => {
    const short = (overrides: ReturnType<typeof mispShortcut>): unknown => overrides.map((one) => [one.path.slice(2).join("."), one.value]);
    expect(short(mispShortcut("https://misp.example.org:8443"))).toEqual([
      ["misp.api.host", "https://misp.example.org:8443"],
      ["misp.api.ssl", true],
      ["misp.zmq.host", "misp.example.org"],
    ]);
    expect(short(zeekShortcut("sensor"))).toEqual([["zeek.host", "sensor"]]);
    expect(short(zeekShortcut("[::1]:47761"))).toEqual([
      ["zeek.host", "::1"],
      ["zeek.port", 47_761],
    ]);
    expect(short(zeekShortcut("::1"))).toEqual([["zeek.host", "::1"]]);
  });

  test.each(["misp.example.org", "file:///etc/passwd", "https://user:pw@misp.example.org"])("-m refuses %s", (url) => {
    expect(() => mispShortcut(url)).toThrow("-m takes the URL");
  });

  test.each(["", "a:b", "a:1:2", "h:", "a b", "[::1"])("-z refuses %j", (text) => {
    expect(() => zeekShortcut(text)).toThrow("-z takes");
  });

  test.each(["", "a", "=1", "a..b=1", ".a=1", "__proto__.x=1", "a.constructor=1", 'a.b c"d=1'])("--set refuses %j", (text) => {
    expect(() => setOverride(text)).toThrow("--set takes");
  });
});
