import { Command, Option } from "commander";
import { addCheck } from "./commands/check.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addInit } from "./commands/init.ts";
import { addKeygen } from "./commands/keygen.ts";
import { addPlugins } from "./commands/plugins.ts";
import { addPublish } from "./commands/publish.ts";
import { addRun, runBus } from "./commands/run.ts";
import { addSchema } from "./commands/schema.ts";
import { addSnapshot } from "./commands/snapshot.ts";
import { addTail } from "./commands/tail.ts";
import { exitCodeMeanings } from "./exit-codes.ts";
import { optionsOf } from "./options.ts";
import { printable } from "@threatbus/program";
import { version } from "./version.ts";

const epilogue = `
Examples:
  $ threatbus                                   a bus in memory; apps join at 127.0.0.1:13370
  $ threatbus init && threatbus check           write config.yaml, then see what it would load
  $ threatbus doctor                            see whether what it talks to is there
  $ threatbus -c my.yaml --set plugins.apps.zmq.pub=14000
  $ threatbus -m https://misp.example.org       indicators from a MISP; its key goes into MISP_API_KEY
  $ threatbus tail stix2/indicator              watch a bus that runs
  $ threatbus publish indicators.json rule.yml  send objects and rules to it

Environment:
  THREATBUS_PLUGINS__APPS__ZMQ__PUB=14000 beats the file, --set beats both. NO_COLOR turns colours off.

Exit codes:
${exitCodeMeanings.map(([code, meaning]) => `  ${code.padEnd(10)}${meaning}`).join("\n")}`;

/**
 * The command line of `threatbus`, to parse with `parseAsync`. It throws commander's `CommanderError` instead of ending the process, and writes to
 * the process's own standard output and error.
 */
export function createProgram(): Command {
  const program = new Command("threatbus");
  program
    .description("Threat Bus: publish and subscribe for threat intelligence. Without a command it runs a bus.")
    .version(version, "-V, --version", "print the version")
    .helpCommand("help [command]", "print this help, or that of a command")
    .helpOption("-h, --help", "print this help")
    .option("-c, --config <file>", "configuration; default: config.yaml or config.yml here, else the built-in quick start")
    .addOption(new Option("--set <key=value>", "set any key of the configuration, e.g. plugins.apps.zmq.pub=14000").argParser(collect).default([], "none"))
    .option("-m, --misp <url>", "connect to the MISP with this URL")
    .option("-z, --zeek <host[:port]>", "listen for Zeek on this address")
    .option("-v, --verbose", "log everything to the console", false)
    .addOption(new Option("--log-format <format>", "how to log").choices(["text", "json"]).default("text"))
    .addHelpText("after", epilogue)
    .showHelpAfterError("(threatbus help lists commands and options)")
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "threatbus: ")) })
    .exitOverride()
    .action(async (_options: unknown, command: Command) => {
      await assertKnown(command);
      await runBus(optionsOf(command));
    });
  for (const add of [addRun, addCheck, addDoctor, addInit, addSchema, addPlugins, addTail, addPublish, addSnapshot, addKeygen]) add(program);
  // Commands, made before this, stay strict. Else a mistyped command would be told of its first option only.
  return program.allowUnknownOption().allowExcessArguments();
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Refuses what is left of a command line without a command. */
async function assertKnown(program: Command): Promise<void> {
  const [word] = program.args;
  if (word === undefined) return;
  const isOption = word.startsWith("-");
  const names = isOption ? program.options.flatMap(({ long }) => long ?? []) : program.commands.map((command) => command.name());
  const { didYouMean } = await import("@threatbus/core/config");
  const hint = didYouMean(word, names);
  program.error(`error: unknown ${isOption ? "option" : "command"} ${printable(word)}${hint === undefined ? "" : `: ${hint}`}`);
}
