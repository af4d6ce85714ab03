import type { Command } from "commander";
import { addJoinOptions, countOption, daysOption } from "../joining.ts";
import { optionsOf } from "../options.ts";
import type { WatchOptions } from "../watch.ts";

/** `tail [TOPIC…]` */
export function addTail(program: Command): void {
  const command = program
    .command("tail")
    .argument("[topic...]", "a topic or the beginning of one: stix2/indicator, stix2/, sigma/rule (default: all)")
    .option("--type <type>", "only messages of this type (indicator, sighting, rule, …); may be given several times", (type: string, before: readonly string[] = []) => [...before, type])
    .option("--match <text>", "only messages that contain this text, upper or lower case")
    .option("--since <span>", "first ask for the history of this time, e.g. 30d", daysOption)
    .option("--count <n>", "end after so many messages", countOption)
    .option("--json", "one line of JSON per message", false)
    .summary("show the messages of a running bus")
    .description("Joins a running bus and shows its messages as they come, until Ctrl-C. Control characters in messages are shown as \\u{…}.")
    .addHelpText(
      "after",
      "\nExamples:\n  $ threatbus tail\n  $ threatbus tail stix2/sighting --match 198.51.100.\n  $ threatbus tail stix2/indicator --since 30d --json --count 100 > indicators.ndjson",
    )
    .action(async (topics: string[], _options: unknown, called: Command) => {
      const { watch } = await import("../watch.ts");
      await watch(topics, optionsOf<WatchOptions>(called));
    });
  addJoinOptions(command);
}
