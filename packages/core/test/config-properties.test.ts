import fc from "fast-check";
import { expect, test } from "vitest";
import { checkAgainst } from "../src/config/check.ts";
import { closest } from "../src/config/closest.ts";
import { applyEnvironment } from "../src/config/environment.ts";
import { applyOverride, readValue, setOverride } from "../src/config/override.ts";
import { configError } from "../src/config/problems.ts";
import { configSchema } from "../src/config/schema.ts";
import { isSection, Settings, type Section } from "../src/config/settings.ts";
import { parseYaml } from "../src/config/yaml.ts";
import { isThreatbusError } from "../src/errors.ts";

const scale = Math.max(0.1, Number(process.env["THREATBUS_TEST_SCALE"] ?? 1) || 1);
const runs = (n: number): { numRuns: number } => ({ numRuns: Math.ceil(n * scale) });
const words = ["plugins", "apps", "zmq", "__proto__", "constructor", "prototype", "polluted", "logging", "queue", "<<", "key"] as const;
const fragments = [
  ...words,
  ": ",
  "\n",
  "  ",
  "\t",
  "- ",
  "[",
  "]",
  "{",
  "}",
  ",",
  "&a ",
  "*a",
  "!!map ",
  "!!binary ",
  "|",
  ">",
  '"',
  "'",
  "#",
  "? ",
  "%YAML 1.1\n",
  "---\n",
  "...",
  "~",
  "yes",
  "1e999",
  "\u0000",
  "\u{1f980}",
  "\\x",
];
const yamlText = fc.oneof(
  fc.array(fc.constantFrom(...fragments), { maxLength: 60 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => new TextDecoder().decode(bytes)),
);

function unpolluted(): void {
  const fresh: Record<string, unknown> = {};
  expect(fresh["polluted"]).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
}

function hasForbidden(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return true;
  return Object.entries(value).some(
    ([name, inner]) => ["__proto__", "constructor", "prototype"].includes(name.toLowerCase()) || hasForbidden(inner),
  );
}

test("any text is either a configuration or a list of problems, and never pollutes", () => {
  fc.assert(
    fc.property(yamlText, (text) => {
      const parsed = parseYaml(text, "f.yaml");
      expect(hasForbidden(parsed.value)).toBe(false);
      for (const issue of parsed.issues) expect(issue.where).toMatch(/^f\.yaml(:\d+:\d+)?$/);
      const settings = new Settings(isSection(parsed.value) ? parsed.value : {}, "f.yaml");
      for (const [path, origin] of parsed.origins) settings.note(path, origin);
      const issues = [...parsed.issues, ...checkAgainst(configSchema, settings, [])];
      if (issues.length > 0) expect(isThreatbusError(configError("f.yaml", issues, settings.values), "CONFIG_INVALID")).toBe(true);
      unpolluted();
    }),
    runs(3_000),
  );
});

test("environment and --set cannot pollute, whatever their names", () => {
  const name = fc.array(fc.oneof(fc.constantFrom(...words), fc.constantFrom("", "_", "0", "7", "PROTO", "__")), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(name, fc.oneof(fc.string(), yamlText), (parts, value) => {
      const settings = new Settings({ plugins: { apps: { zmq: [1, { key: 2 }] } } }, "f");
      applyEnvironment(settings, [{ name: `THREATBUS_${parts.join("__").toUpperCase()}`, value, origin: "environment" }]);
      try {
        applyOverride(settings, setOverride(`${parts.join(".")}=${value}`));
      } catch (error) {
        expect(isThreatbusError(error, "CONFIG_INVALID")).toBe(true);
      }
      expect(hasForbidden(settings.values)).toBe(false);
      unpolluted();
    }),
    runs(3_000),
  );
});

test("what is set is what is there", () => {
  const path = fc.array(
    fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/).filter((name) => !["constructor", "prototype"].includes(name)),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(
      path,
      fc.oneof(fc.boolean(), fc.integer(), fc.array(fc.integer()), fc.dictionary(fc.stringMatching(/^[a-z]{8}$/), fc.integer())),
      (names, value) => {
        const settings = new Settings({}, "f");
        expect(applyOverride(settings, setOverride(`${names.join(".")}=${JSON.stringify(value)}`))).toBeUndefined();
        expect(settings.get(names)).toEqual(value);
      },
    ),
    runs(500),
  );
});

test("a value that is no YAML scalar stays the text it is", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { value, source } = readValue(text);
      if (typeof value === "string" && source === undefined && !/^\s*['"]/.test(text)) expect(value).toBe(text);
      if (source !== undefined) expect(source).toBe(text.trim());
    }),
    runs(2_000),
  );
});

test("large hostile files end", () => {
  const many = (text: string): string => text.repeat(Math.floor((100_000 * scale) / text.length));
  const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join("\n");
  const aliases = `a: &a 1\n${Array.from({ length: 10_000 }, (_, i) => `k${i}: *a`).join("\n")}`;
  for (const text of [
    many("["),
    many("{a: "),
    many("- "),
    many("? "),
    many("a: b: "),
    many('"\\u0041'),
    many("&a "),
    many("!!x "),
    many("#\n"),
    many("\t"),
    many("|\n"),
    keys,
    aliases,
  ]) {
    const parsed = parseYaml(text, "f");
    expect(parsed.broken ? parsed.issues.length : parsed.value).not.toBe(parsed.broken ? 0 : undefined);
  }
});

test("did you mean: one mistake is found, strangers are not", () => {
  const names = ["console", "console_verbosity", "file", "filename", "max_items", "overflow"];
  const edit = (name: string, at: number): Section => ({
    dropped: name.slice(0, at) + name.slice(at + 1),
    doubled: name.slice(0, at) + (name[at] ?? "") + name.slice(at),
  });
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(20), (name, at) => {
      for (const wrong of Object.values(edit(name, at % name.length))) expect(closest(String(wrong), names)).toBe(name);
    }),
  );
  expect(closest("MaxItems", names)).toBe("max_items");
  expect(closest("zookeeper", names)).toBeUndefined();
});
