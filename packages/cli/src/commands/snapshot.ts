import type { Command } from "commander";
import { addJoinOptions, countOption, daysOption, secondsOption } from "../joining.ts";
import { optionsOf } from "../options.ts";
import type { WatchOptions } from "../watch.ts";

/** `snapshot --since SPAN [TOPIC…]` */
export function addSnapshot(program: Command): void {
  const command = program
    .command("snapshot")
    .argument("[topic...]", "stix2/indicator, stix2/sighting (default: both)")
    .requiredOption("--since <span>", "how far back: 30d, 12h, 6w; counted in days", daysOption)
    .option("--wait <seconds>", "end after so many seconds without a message", secondsOption, 3)
    .option("--count <n>", "end after so many messages", countOption)
    .summary("print the history that the apps of a bus keep")
    .description(
      "Asks a running bus for the history of a time span and prints it as lines of JSON. The apps that keep a history answer; nobody says when all is told, so it ends " +
        "when nothing came for a while. What happens live meanwhile is printed too.",
    )
    .addHelpText("after", "\nExamples:\n  $ threatbus snapshot --since 30d > history.ndjson\n  $ threatbus snapshot --since 1d stix2/indicator --wait 10")
    .action(async (topics: string[], _options: unknown, called: Command) => {
      const [{ watch }, { signalExitCode }] = await Promise.all([import("../watch.ts"), import("@threatbus/program")]);
      const options = optionsOf<WatchOptions>(called);
      const { printed, signal } = await watch(topics.length === 0 ? ["stix2/indicator", "stix2/sighting"] : topics, { ...options, json: true });
      if (signal !== undefined) process.exitCode = signalExitCode(signal);
      else if (process.exitCode === undefined) process.stderr.write(`${printed} objects\n`);
    });
  addJoinOptions(command);
}
