import type { Command } from "commander";
import { optionsOf, type GlobalOptions } from "../options.ts";

/** What `threatbus` does without a command. */
export function addRun(program: Command): void {
  program
    .command("run")
    .summary("run a bus (this is what threatbus does without a command)")
    .description(
      "Runs a bus until SIGINT (Ctrl-C) or SIGTERM, then delivers what is waiting and ends. A second signal ends it at once.\n" +
        "Without -c it takes config.yaml or config.yml from the working directory, and without these a bus in memory that apps join on the default ports.",
    )
    .action((_options: unknown, command: Command) => runBus(optionsOf(command)));
}

export async function runBus(options: GlobalOptions): Promise<void> {
  const { run } = await import("../run.ts");
  await run(options);
}
