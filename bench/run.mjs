// npm run bench [-- NAME…]: the whole-bus benchmarks. See README.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mebibytes, table } from "./figures.mjs";
import { buildLoad } from "./load.mjs";

const names = ["decode", "relay", "reference", "startup", "memory", "rabbitmq", "kafka", "zeek", "misp", "bridge-logs", "bridge-tenzir"];
const help = `Usage: npm run bench -- [OPTION…] [NAME…]

Runs the benchmarks named, or all: ${names.join(", ")}.

  --rounds N     pairs of runs per comparison (default 3)
  --seconds N    length of one run (default 3)
  --messages N   messages of the memory run (default 5000000)
  --strict       exit with 1 if a bar was missed
  -h, --help     this text

Needs the packages built (npm run build), a C compiler and libzmq (Debian: build-essential, libzmq3-dev), Linux. RabbitMQ, Kafka and the
Python reference are installed if they are missing and the network allows; what cannot be had is left out. Figures go to bench/results.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    messages: { type: "string", default: process.env.THREATBUS_BENCH_MESSAGES ?? "5000000" },
    strict: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const unknown = positionals.filter((name) => !names.includes(name));
if (values.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `No benchmark is called ${unknown.join(", ")}: there are ${names.join(", ")}.` : help);
  process.exit(values.help ? 0 : 64);
}

const settings = { rounds: Number(values.rounds), seconds: Number(values.seconds), messages: Number(values.messages) };
const machine = `${cpus().length} × ${cpus()[0]?.model ?? "?"}, ${(mebibytes(totalmem()) / 1024).toFixed(0)} GiB, Node ${process.versions.node}`;
console.log(`${machine}\n`);
await buildLoad();

const rows = [];
let failed = false;
for (const name of positionals.length > 0 ? positionals : names) {
  try {
    const { title, run } = await import(`./${name}.mjs`);
    console.log(title);
    rows.push(...(await run(settings)).map((row) => ({ part: name, ...row })));
  } catch (error) {
    failed = true;
    console.log(`  ${name} failed: ${error.message}`);
    rows.push({ part: name, figure: name, ours: "failed", pass: false, detail: String(error.stack) });
  }
  console.log("");
}

console.log(table(rows));
const results = join(dirname(fileURLToPath(import.meta.url)), "results");
mkdirSync(results, { recursive: true });
const file = join(results, `${new Date().toISOString().replace(/[:.]/g, "-")}.json`);
writeFileSync(file, JSON.stringify({ machine, settings, rows }, null, 2));
console.log(`\nWritten to ${file}`);
process.exitCode = failed || (values.strict && rows.some((row) => row.pass === false)) ? 1 : 0;
