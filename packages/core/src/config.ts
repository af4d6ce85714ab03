/** Reading configuration and loading plugins. Apart from the main entry, which loads neither a YAML parser nor a schema library. */
export { loadConfig } from "./config/load-config.ts";
export type { LoadConfigOptions, LoadedConfig } from "./config/load-config.ts";
export { loadPlugin } from "./config/load.ts";
export type { LoadedPlugin, PluginRequest } from "./config/load.ts";
export { installedPackages, installedPlugins } from "./config/installed.ts";
export type { InstalledPackage, InstalledPlugin } from "./config/installed.ts";
export { mispShortcut, setOverride, zeekShortcut } from "./config/override.ts";
export type { Override } from "./config/override.ts";
export type { Environment } from "./config/environment.ts";
export type { ConfigIssue } from "./config/problems.ts";
export { configJsonSchema } from "./config/json-schema.ts";
export type { AnyPlugin, JsonSchema } from "./config/json-schema.ts";
export { exampleConfig } from "./config/example.ts";
export { redactConfig } from "./config/secrets.ts";
export { configFileNames } from "./config/read.ts";
export type { LoggingConfig, MetricsConfig } from "./config/schema.ts";
export { didYouMean } from "./config/closest.ts";
