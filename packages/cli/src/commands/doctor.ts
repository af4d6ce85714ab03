import type { Command } from "commander";
import { secondsOption } from "../joining.ts";
import { configOf, optionsOf } from "../options.ts";

/** `doctor [FILE]` */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .argument("[file]", "the same as -c FILE")
    .option("--wait <seconds>", "wait so long for what each plugin should hear", secondsOption, 15)
    .option("--json", "one line of JSON for each finding", false)
    .summary("look whether the tools can be reached, and say what to change")
    .description(
      "Reads the configuration as a run would, starts no bus, and lets each plugin look at what it talks to: is it there, does it let us in, does anything " +
        "come from it? Changes nothing. A MISP sends a sign of life every ten seconds; wait for longer than that.",
    )
    .addHelpText("after", "\nExamples:\n  $ threatbus doctor\n  $ threatbus doctor -m https://misp.example.org --wait 30\n  $ threatbus doctor my.yaml --json")
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      const options = optionsOf<{ wait: number; json: boolean }>(command);
      const config = await configOf(file === undefined ? options : { ...options, config: file });
      const [{ examine }, { abortOnSignal }] = await Promise.all([import("../doctor.ts"), import("@threatbus/program")]);
      process.exitCode = await examine(config, options, abortOnSignal());
    });
}
