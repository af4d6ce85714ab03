import { Command, Option } from "commander";
import { dryRun } from "./dry-run.ts";
import { run } from "./run.ts";
import type { RunOptions } from "./run.ts";
import { programName, version } from "./version.ts";

const epilogue = `
Examples:
  $ vast-threatbus -c config.yaml
  $ vast-threatbus --set engine=logs --set 'logs.files=[/var/log/suricata/eve.json]' --set live_match=true
  $ vast-threatbus --dry-run "[domain-name:value = 'evil.example']" 198.51.100.7

Configuration:
  A YAML file; .env beside it; VAST_THREATBUS_LIVE_MATCH=true, VAST_THREATBUS_METRICS__PORT=9100 and so on in the environment; --set. The later beats
  the earlier. The README has every key.

Exit codes:
  0         stopped; what was not finished is kept in state_dir and done the next time
  1         with --dry-run: an indicator would not be matched
  64        the command line is wrong
  69        the tool that searches is missing or unfit, a port is taken, or state_dir is in use
  70        a fault of the program
  73        state_dir cannot be written
  78        the configuration has problems
  130, 143  ended by a second SIGINT, SIGTERM`;

/** The command line, to parse with `parseAsync`. Throws commander's `CommanderError` instead of ending the process. */
export function createProgram(): Command {
  return new Command(programName)
    .description("Matches the indicators of a Threat Bus against events, past and coming, and reports sightings.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .option("-c, --config <file>", "configuration; default: config.yaml or config.yml here")
    .addOption(new Option("--set <key=value>", "set any key of the configuration, e.g. live_match=true").argParser((value: string, before: readonly string[]) => [...before, value]).default([], "none"))
    .option("--dry-run", "print what indicators would cause, and end; they are arguments or lines of standard input: patterns, STIX JSON or values", false)
    .option("-v, --verbose", "log everything to the console", false)
    .addOption(new Option("--log-format <format>", "how to log").choices(["text", "json"]).default("text"))
    .argument("[indicators...]", "with --dry-run")
    .addHelpText("after", epilogue)
    .showHelpAfterError("(vast-threatbus --help lists the options)")
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, `${programName}: `)) })
    .exitOverride()
    .action(async (indicators: readonly string[], options: RunOptions & { readonly dryRun: boolean }, command: Command) => {
      if (options.dryRun) await dryRun(indicators, options);
      else if (indicators.length > 0) command.error("error: indicators on the command line are for --dry-run");
      else await run(options);
    });
}
