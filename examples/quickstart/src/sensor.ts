import { appendFile, cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const tools = ["zeek", "suricata"];
const data: string = fileURLToPath(new URL("../data/", import.meta.url));
/** Milliseconds between two events. */
const pace = 5;

/** A line of a log, as the tool wrote it: Zeek with the time in seconds as `ts`, Suricata as text in `timestamp`. */
type LogLine = Readonly<Record<string, unknown>>;

/** Zeek and Suricata, as far as can be seen of them: logs of a day that is over, and then the same day once more, as it happens. */
export class Sensor {
  readonly #folder: string;
  readonly #events: { readonly log: string; readonly line: LogLine }[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Puts the bundled logs into the folder: `zeek/*.log` and `suricata/eve.json`, one JSON object a line. */
  static async begin(folder: string): Promise<Sensor> {
    const sensor = new Sensor(folder);
    for (const tool of tools) {
      await cp(join(data, tool), join(folder, tool), { recursive: true });
      for (const name of await readdir(join(folder, tool))) {
        const log = join(tool, name);
        const lines = (await readFile(join(folder, log), "utf8")).trimEnd().split("\n");
        sensor.#events.push(...lines.map((line) => ({ log, line: JSON.parse(line) as LogLine })));
      }
    }
    sensor.#events.sort((one, other) => timeOf(one.line) - timeOf(other.line));
    return sensor;
  }

  get events(): number {
    return this.#events.length;
  }

  /** Appends every event again, in the order of time, as one of this moment. */
  async goOn(signal: AbortSignal): Promise<void> {
    for (const { log, line } of this.#events) {
      await appendFile(join(this.#folder, log), `${JSON.stringify(stamped(line, Date.now()))}\n`);
      await sleep(pace, undefined, { signal });
    }
  }
}

function timeOf({ ts, timestamp }: LogLine): number {
  return typeof ts === "number" ? ts * 1_000 : Date.parse(String(timestamp));
}

/** @param time milliseconds since 1970 */
function stamped(line: LogLine, time: number): LogLine {
  return "ts" in line ? { ...line, ts: time / 1_000 } : { ...line, timestamp: new Date(time).toISOString().replace("Z", "000+0000") };
}
