import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig, type LoadConfigOptions, type LoadedConfig } from "../src/config.ts";
import { isThreatbusError, type ThreatbusError } from "../src/errors.ts";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "plugins-fixtures");
const zodFolder = dirname(createRequire(import.meta.url).resolve("zod/package.json"));

/** A folder as a user has it, with packages in its node_modules. */
export class Installation {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), "threatbus-config-")));

  /** Loads the configuration of the folder, with this text as its config.yaml if there is one. */
  load(text?: string, options: LoadConfigOptions = {}): Promise<LoadedConfig> {
    if (text !== undefined) this.write("config.yaml", text);
    return loadConfig({ cwd: this.folder, env: {}, ...options });
  }

  /** Installs a file of plugins-fixtures as a package. */
  install(packageName: string, fixture: string): this {
    return this.installText(packageName, readFileSync(join(fixtures, fixture), "utf8"));
  }

  installText(packageName: string, text: string): this {
    this.write(
      `node_modules/${packageName}/package.json`,
      JSON.stringify({ name: packageName, version: "1.2.3", type: "module", exports: { ".": "./index.js" } }),
    );
    return this.write(`node_modules/${packageName}/index.js`, text);
  }

  /** What most tests need: a backbone without options and an app with some. */
  usual(): this {
    symlinkSync(zodFolder, join(this.#made("node_modules"), "zod"));
    return this.install("@threatbus/inmem", "backbone.js").install("@threatbus/zmq", "app.js");
  }

  write(name: string, text: string | Uint8Array): this {
    this.#made(dirname(name));
    writeFileSync(join(this.folder, name), text);
    return this;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #made(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }
}

/** The error something ends with, which must be one of ours. */
export async function failure(ending: Promise<unknown>): Promise<ThreatbusError> {
  const error: unknown = await ending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isThreatbusError(error)) throw new Error("expected a ThreatbusError", { cause: error });
  return error;
}

/** The options the first app was given: fixtures return them instead of an app. */
export function optionsOf(config: LoadedConfig): unknown {
  return config.bus.apps[0]?.create({ name: "" } as never);
}
