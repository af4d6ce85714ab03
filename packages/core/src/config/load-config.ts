import { dirname, resolve } from "node:path";
import type { BusOptions } from "../bus-options.ts";
import type { Configured, ConfiguredApp, ConfiguredBackbone, PluginKind } from "../contract.ts";
import { isThreatbusError, reasonOf } from "../errors.ts";
import { checkAgainst } from "./check.ts";
import { didYouMean } from "./closest.ts";
import { applyEnvironment, applyMispKey, readEnvironment, type Environment } from "./environment.ts";
import { installedPackages } from "./installed.ts";
import { sections } from "./json-schema.ts";
import { openSettings } from "./load-settings.ts";
import { loadPlugin, pluginName, type LoadedPlugin } from "./load.ts";
import { applyOverride, setOverride, type Override } from "./override.ts";
import { configError, configIssue, printName, type ConfigIssue } from "./problems.ts";
import { readConfigFile } from "./read.ts";
import { configSchema, type ConfigFile, type LoggingConfig, type MetricsConfig } from "./schema.ts";
import { isSection, type Section, type Settings } from "./settings.ts";

export interface LoadConfigOptions {
  /** Default: config.yaml, then config.yml, in `cwd`; without them the quick start. */
  readonly file?: string | undefined;
  /** Default: the process's. */
  readonly cwd?: string;
  /** Default: the process's. */
  readonly env?: Environment;
  /** From the command line, in its order: `a.b=value`, or made by `mispShortcut` and `zeekShortcut`. */
  readonly set?: readonly (string | Override)[];
  /** Folders to look for plugins from when the file's has none, e.g. the program's own. */
  readonly fallback?: readonly string[];
  /** Milliseconds a plugin's module may take to load. Default 10,000. */
  readonly importTimeout?: number;
}

export interface LoadedConfig {
  /** What `createBus` takes. */
  readonly bus: Required<Pick<BusOptions, "backbones" | "apps" | "queue" | "drainTimeout">>;
  readonly logging: LoggingConfig;
  /** Nothing: no metrics. */
  readonly metrics: MetricsConfig | undefined;
  /** Absolute; nothing for the quick start. */
  readonly file: string | undefined;
  /** In words: the file's name as given, or "built-in quick start". */
  readonly origin: string;
  readonly plugins: readonly PlacedPlugin[];
  /** Everything as configured, before plugins filled in defaults. Holds secrets: `redactConfig` it before showing. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A plugin that the configuration names. */
export interface PlacedPlugin extends LoadedPlugin {
  /** Its section in `values`, e.g. `["plugins", "apps", "misp", "0"]`. */
  readonly path: readonly string[];
}

const quickStart = "built-in quick start";

/**
 * Reads the file, the environment and the command line, loads the plugins named there and checks their options.
 * @throws ThreatbusError `CONFIG_NOT_FOUND`; or one error with all problems as `issues` and a message ready to print, its code
 * `CONFIG_INVALID` or, if that is all that is wrong, `PLUGIN_NOT_INSTALLED`, `PLUGIN_LOAD_FAILED`, `PLUGIN_WRONG_CONTRACT`
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const { file, cwd = process.cwd(), env = process.env, set = [], fallback = [] } = options;
  const overrides = set.flatMap((given) => (typeof given === "string" ? setOverride(given) : given));
  const source = await readConfigFile(file, cwd);
  const name = source?.name ?? quickStart;
  const folder = resolve(source === undefined ? cwd : dirname(source.path));
  const { settings, issues } = openSettings(source, { plugins: { backbones: { inmem: {} }, apps: { zmq: {} } } }, name);
  const variables = await readEnvironment(folder, env);
  issues.push(...applyEnvironment(settings, variables));
  issues.push(...overrides.map((override) => applyOverride(settings, override)).filter((issue) => issue !== undefined));
  issues.push(...applyMispKey(settings, variables));
  fillEmptySections(settings);
  issues.push(...checkAgainst(configSchema, settings, []));

  const from = [folder, ...fallback];
  const entries = pluginEntries(settings);
  const outcomes = await Promise.all(entries.map((entry) => loadEntry(entry, settings, from, options.importTimeout)));
  issues.push(...outcomes.flatMap((outcome) => outcome.issues), ...sameNames(entries, settings));
  const path = ["plugins", "backbones"];
  const backbones = settings.get(path) ?? {};
  if (isSection(settings.get(["plugins"])) && isSection(backbones) && Object.keys(backbones).length === 0) {
    issues.push(configIssue(settings.where(path, "key"), path, "a bus needs a backbone", "inmem is one: { inmem: {} }"));
  }
  if (issues.length > 0) {
    throw configError(name, issues, settings.values, outcomes.find(({ cause }) => cause !== undefined)?.cause);
  }
  const config: ConfigFile = configSchema.parse(settings.values);
  const configured = outcomes.flatMap((outcome) => outcome.configured ?? []);
  return {
    bus: {
      backbones: configured.filter((plugin): plugin is ConfiguredBackbone => plugin.kind === "backbone"),
      apps: configured.filter((plugin): plugin is ConfiguredApp => plugin.kind === "app"),
      queue: { maxItems: config.queue.max_items, maxBytes: config.queue.max_bytes, overflow: config.queue.overflow, ackHold: config.queue.ack_hold * 1000 },
      drainTimeout: Math.round(config.shutdown_timeout * 1_000),
    },
    logging: config.logging,
    metrics: config.metrics,
    file: source?.path,
    origin: name,
    plugins: outcomes.flatMap((outcome) => outcome.loaded ?? []),
    values: settings.values,
  };
}

/** A section with nothing in it may be written without braces. */
function fillEmptySections(settings: Settings): void {
  for (const path of [["logging"], ["queue"], ["plugins"], ["plugins", "backbones"], ["plugins", "apps"]]) {
    if (settings.get(path) === null) settings.replace(path, {});
  }
  if (settings.get(["metrics"]) === null) delete settings.values["metrics"];
}

interface PluginEntry {
  readonly kind: PluginKind;
  /** As the key of its section: what package it is. */
  readonly key: string;
  /** What it is called in this bus. */
  readonly name: string;
  readonly path: readonly string[];
}

/** One for each section, or for each element of a list in its place. */
function pluginEntries(settings: Settings): PluginEntry[] {
  return (["backbone", "app"] as const).flatMap((kind) => {
    const within = ["plugins", sections[kind]];
    const plugins = settings.get(within);
    if (!isSection(plugins)) return [];
    return Object.entries(plugins).flatMap(([key, value]): PluginEntry[] => {
      const path = [...within, key];
      if (!Array.isArray(value) || value.length === 0) return [{ kind, key, name: instanceOf(value) ?? key, path }];
      return value.map((element: unknown, at) => ({ kind, key, name: instanceOf(element) ?? (at === 0 ? key : `${key}-${at + 1}`), path: [...path, String(at)] }));
    });
  });
}

function instanceOf(section: unknown): string | undefined {
  const instance = isSection(section) && Object.hasOwn(section, "instance") ? section["instance"] : undefined;
  return typeof instance === "string" ? instance : undefined;
}

function sameNames(entries: readonly PluginEntry[], settings: Settings): ConfigIssue[] {
  const names = entries.map(({ name }) => name);
  return entries.flatMap(({ name, path }, at) =>
    names.indexOf(name) === at ? [] : configIssue(settings.where(path, "key"), path, `two plugins are named ${printName(name)}`, "give each a name of its own: { instance: … }"),
  );
}

interface Outcome {
  readonly issues: ConfigIssue[];
  readonly loaded?: PlacedPlugin;
  readonly configured?: Configured;
  readonly cause?: unknown;
}

async function loadEntry(
  { kind, key, name, path }: PluginEntry,
  settings: Settings,
  from: readonly string[],
  importTimeout?: number,
): Promise<Outcome> {
  const section = settings.get(path) ?? {};
  if (!isSection(section)) return { issues: [configIssue(settings.where(path), path, "expected a section with the plugin's options")] };
  const own = ownKeys(section, path, settings);
  if (own.issues.length > 0) return { issues: own.issues };
  settings.replace(path, own.options);
  try {
    const loaded = { ...(await loadPlugin({ kind, name: key, from, package: own.package, importTimeout })), name, path };
    const issues = loaded.plugin.options === undefined ? [] : checkAgainst(loaded.plugin.options, settings, path);
    if (issues.length > 0) return { issues, loaded };
    const configured = loaded.plugin(settings.get(path));
    return { issues, loaded, configured: configured.name === name ? configured : renamed(configured, name) };
  } catch (error) {
    return { issues: await whyNot(error, key, path, settings, from), cause: error };
  } finally {
    settings.replace(path, { ...own.reserved, ...(settings.get(path) as Section) });
  }
}

/** Parts what core reads of a plugin's section from the plugin's options. */
function ownKeys(section: Section, path: readonly string[], settings: Settings): { readonly issues: ConfigIssue[]; readonly options: Section; readonly reserved: Section; readonly package?: string } {
  const { package: packageName, instance, ...options } = section;
  const issue = (key: string, words: string): ConfigIssue[] => [configIssue(settings.where([...path, key]), [...path, key], words)];
  const issues = [
    ...(packageName === undefined || typeof packageName === "string" ? [] : issue("package", "expected the name of an npm package, or a path that begins with ./")),
    ...(instance === undefined || (typeof instance === "string" && pluginName.test(instance)) ? [] : issue("instance", "expected a name of lower-case letters, digits, dots, dashes and underscores")),
  ];
  const reserved = { ...(packageName !== undefined && { package: packageName }), ...(instance !== undefined && { instance }) };
  return { issues, options, reserved, ...(typeof packageName === "string" && { package: packageName }) };
}

/** One plugin may run several times: as a list, or under several keys, each with its `package`. */
function renamed<Kind extends PluginKind>(configured: Configured<Kind>, name: string): Configured<Kind> {
  return { kind: configured.kind, name, create: (host) => configured.create(host) };
}

async function whyNot(error: unknown, key: string, path: readonly string[], settings: Settings, from: readonly string[]): Promise<ConfigIssue[]> {
  const where = settings.where(path, "key");
  if (!isThreatbusError(error)) return [configIssue(where, path, `the plugin failed on its options: ${reasonOf(error)}`)];
  if (error.code === "OPTIONS_INVALID" && error.issues.length > 0) {
    return error.issues.map(({ path: inner = [], message, hint }) =>
      configIssue(settings.where([...path, ...inner]), [...path, ...inner], message, hint),
    );
  }
  const issue = { ...configIssue(where, path, error.message, error.hint), code: error.code };
  if (error.code !== "PLUGIN_NOT_INSTALLED") return [issue];
  const meant = didYouMean(
    key,
    (await installedPackages(from)).map(({ name }) => name),
  );
  return [meant === undefined ? issue : { ...issue, hint: [meant, error.hint].filter(Boolean).join(" Or ") }];
}
