import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { exitCodes, UserError } from "@threatbus/program";
import { optionsOf, programFolder } from "../options.ts";

/** `init [FILE]` */
export function addInit(program: Command): void {
  program
    .command("init")
    .argument("[file]", "where to write; - is standard output", "config.yaml")
    .option("-f, --force", "overwrite the file", false)
    .summary("write a commented configuration")
    .description("Writes a configuration with every option of every installed plugin, its default and what it means. It starts as it is.")
    .addHelpText("after", "\nExamples:\n  $ threatbus init\n  $ threatbus init /etc/threatbus/config.yaml --force")
    .action(async (file: string, _options: unknown, command: Command) => {
      const { force } = optionsOf<{ force: boolean }>(command);
      const { exampleConfig, installedPlugins } = await import("@threatbus/core/config");
      const folder = file === "-" ? process.cwd() : dirname(resolve(file));
      const found = await installedPlugins([folder, programFolder]);
      const text = exampleConfig(found.flatMap(({ loaded }) => loaded?.plugin ?? []));
      if (file === "-") process.stdout.write(text);
      else {
        await write(file, text, force);
        process.stdout.write(`${file} is written. Next: threatbus check ${file}\n`);
      }
    });
}

/** Its owner alone may read it: passwords and keys go into it. */
async function write(file: string, text: string, force: boolean): Promise<void> {
  const { writeFile } = await import("node:fs/promises");
  try {
    await writeFile(file, text, { flag: force ? "w" : "wx", mode: 0o600 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    if (code === "EEXIST") throw new UserError(exitCodes.cannotCreate, `${file} is there already`, "--force overwrites it");
    throw new UserError(exitCodes.cannotCreate, `${file} cannot be written (${code})`);
  }
}
