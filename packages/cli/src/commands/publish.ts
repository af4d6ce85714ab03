import type { Command } from "commander";
import { addJoinOptions, secondsOption } from "../joining.ts";
import { optionsOf } from "../options.ts";
import type { PublishOptions } from "../publish.ts";

/** `publish FILE…` */
export function addPublish(program: Command): void {
  const command = program
    .command("publish")
    .argument("<file...>", "STIX objects, lists, bundles or one per line (JSON), Sigma rules (.yml), YARA rules (.yar); - is standard input")
    .option("--wait <seconds>", "how long a message may take to come back from the bus", secondsOption, 5)
    .option("-q, --quiet", "tell only of what was not taken", false)
    .option("--json", "one line of JSON per message", false)
    .summary("send objects, bundles or rules to a running bus")
    .description(
      "Checks each object or rule as the bus would, sends it, and watches for it on the bus. Says of each what became of it; the exit code is 1 if any was not " +
        "taken. A .yml or .yar file is one message.",
    )
    .addHelpText("after", "\nExamples:\n  $ threatbus publish bundle.json rules/*.yml\n  $ jq -c '.objects[]' bundle.json | threatbus publish -")
    .action(async (files: string[], _options: unknown, called: Command) => {
      const { publish } = await import("../publish.ts");
      await publish(files, optionsOf<PublishOptions>(called));
    });
  addJoinOptions(command);
}
