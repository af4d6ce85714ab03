import { reasonOf, type Fields, type Logger } from "@threatbus/core";
import type { LoggingConfig } from "@threatbus/core/config";
import { LogFile } from "./log-file.ts";
import { jsonLine, severities, textLine, type Entry, type Severity } from "./log-line.ts";

/** Bytes that may wait for whoever reads standard error. */
const maxUnread = 1024 * 1024;

export interface LogOptions {
  /** Everything to the console, whatever the configuration says. */
  readonly verbose?: boolean;
  readonly format?: "text" | "json";
}

/** A logger that never holds up its user and never throws. */
export interface Log extends Logger {
  critical(text: string, fields?: Fields): void;
  /** An error for those who do not read the console's text: to the file, and to a console of JSON lines. */
  note(text: string, fields?: Fields): void;
  /** Entries that could not be written. */
  readonly dropped: number;
  /** Writes what waits for the file. */
  close(): Promise<void>;
}

/** @throws UserError if the log file cannot be opened */
export async function openLog(config: LoggingConfig, { verbose = false, format = "text" }: LogOptions = {}): Promise<Log> {
  let dropped = 0;
  const colour = format === "text" && process.stderr.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  const onConsole = verbose || config.console ? rank(verbose ? "DEBUG" : config.console_verbosity) : severities.length;
  const inFile = config.file ? rank(config.file_verbosity) : severities.length;

  function toConsole(entry: Entry): void {
    // A reader that stands still must not fill our memory.
    if (process.stderr.destroyed || process.stderr.writableLength > maxUnread) dropped++;
    else process.stderr.write(format === "json" ? jsonLine(entry) : textLine(entry, colour));
  }

  const file = config.file
    ? await LogFile.open(config.filename, (error) => {
        const time = new Date().toISOString();
        toConsole({ time, severity: "ERROR", text: "the log file takes nothing; entries are dropped and counted", fields: { reason: reasonOf(error) } });
      })
    : undefined;

  const log = (severity: Severity, console: boolean = true) => (text: string, fields: Fields = {}): void => {
    const level = rank(severity);
    if (level < onConsole && level < inFile) return;
    const entry = { time: new Date().toISOString(), severity, text, fields };
    if (console && level >= onConsole) toConsole(entry);
    if (level >= inFile) file?.append(format === "json" ? jsonLine(entry) : textLine(entry, false));
  };
  return {
    debug: log("DEBUG"),
    info: log("INFO"),
    warn: log("WARNING"),
    error: log("ERROR"),
    critical: log("CRITICAL"),
    note: log("ERROR", format === "json"),
    get dropped() {
      return dropped + (file?.dropped ?? 0);
    },
    close: async () => file?.close(),
  };
}

function rank(severity: Severity): number {
  return severities.indexOf(severity);
}
