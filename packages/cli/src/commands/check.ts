import type { Command } from "commander";
import { configOf, optionsOf } from "../options.ts";

/** `check [FILE]` */
export function addCheck(program: Command): void {
  program
    .command("check")
    .argument("[file]", "the same as -c FILE")
    .summary("validate a configuration and tell what it would load")
    .description(
      "Reads the configuration as a run would: file, environment, command line. Loads the plugins named in it and checks their options, but starts " +
        "nothing and connects to nothing. All problems are told at once, each with its line and column.",
    )
    .addHelpText("after", "\nExamples:\n  $ threatbus check\n  $ threatbus check my.yaml --set plugins.apps.zmq.pub=14000")
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      const options = optionsOf(command);
      const config = await configOf(file === undefined ? options : { ...options, config: file });
      const { describeConfig } = await import("../describe-config.ts");
      process.stdout.write(describeConfig(config));
    });
}
