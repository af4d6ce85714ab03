import type { Command } from "commander";
import { programFolder } from "../options.ts";

/** `schema` */
export function addSchema(program: Command): void {
  program
    .command("schema")
    .summary("print the JSON Schema of the configuration")
    .description("Prints the JSON Schema of the configuration with the options of every installed plugin, for editors to complete and check the file with.")
    .addHelpText("after", "\nExample:\n  $ threatbus schema > threatbus.schema.json\n  then, as the first line of config.yaml:\n  # yaml-language-server: $schema=threatbus.schema.json")
    .action(async () => {
      const { configJsonSchema, installedPlugins } = await import("@threatbus/core/config");
      const found = await installedPlugins([process.cwd(), programFolder]);
      process.stdout.write(`${JSON.stringify(configJsonSchema(found.flatMap(({ loaded }) => loaded?.plugin ?? [])), undefined, 2)}\n`);
    });
}
