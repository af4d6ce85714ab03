/**
 * Stands in for `vast`, which cannot be had any more: the command line and the part of the query language that the bridge uses, over files in the folder
 * named by STAND_IN. Every call is logged there with its arguments and what stood on its standard input.
 *
 * events.ndjson: the past. live.ndjson: what comes, line by line. matcher.ndjson: what matchers were told. down: VAST does not answer. old: no --low-priority.
 */
import { appendFileSync, existsSync, fstatSync, readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";

const folder = process.env.STAND_IN ?? ".";
const file = (name) => join(folder, name);
const argv = process.argv.slice(2);
const stdin = readFileSync(0, "utf8");
appendFileSync(file("calls.ndjson"), `${JSON.stringify({ pid: process.pid, argv, stdin, terminal: fstatSync(0).isCharacterDevice() })}\n`);

const words = argv[0] === "-e" ? argv.slice(2) : argv;
if (existsSync(file("down"))) fail(1, `failed to connect to ${argv[1]}\u001b[31m`);
switch (words[0]) {
  case "status":
    process.stdout.write("{}\n".repeat(100_000));
    break;
  case "export":
    search(words.slice(1));
    break;
  case "matcher":
    matcher(words.slice(1));
    break;
  case "import":
    if (words[1] !== "json" || words[2] !== "--type=intel.indicator" || words.length > 3) fail(2, "import: bad arguments");
    for (const line of stdin.split("\n").filter(Boolean)) {
      const { ioc, reference } = JSON.parse(line);
      appendFileSync(file("matcher.ndjson"), `${JSON.stringify({ add: ioc, context: reference })}\n`);
    }
    break;
  default:
    fail(2, `unknown command ${words[0]}`);
}

function fail(code, text) {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

function lines(name, from = 0) {
  if (!existsSync(file(name))) return [];
  const text = readFileSync(file(name), "utf8");
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").slice(from, -1);
}

function search(words) {
  if (words[0] === "--help") {
    process.stdout.write(existsSync(file("old")) ? "usage: export\n" : "usage: export\n  [--low-priority]  ask for less\n");
    return;
  }
  let most = Infinity;
  while (words[0]?.startsWith("--")) {
    const [name, value] = words.shift().split("=");
    if (name === "--max-events") most = Number(value) || Infinity;
    else if (name !== "--low-priority" && !name.startsWith("--caf.")) fail(2, `unknown option ${name}`);
  }
  if (words.shift() !== "json") fail(2, "export: no format");
  // Options are taken behind the format as well: what an indicator must never be.
  const rest = words.filter((word) => {
    if (word.startsWith("--write=")) writeFileSync(word.slice("--write=".length), "written\n");
    return !word.startsWith("--");
  });
  if (rest.length !== 1) fail(2, "export: exactly one query");
  const matches = parse(rest[0]);
  let found = 0;
  for (const line of lines("events.ndjson")) {
    let event;
    try {
      event = JSON.parse(line);
    } catch {
      // As a tool that stumbles: what is no JSON is printed all the same.
      process.stdout.write(`${line}\n`);
      continue;
    }
    if (event.stand_in === "hang") return void setInterval(() => undefined, 1_000);
    if (event.stand_in === "fail") fail(3, "partition lost\u001b[2J");
    if (found < most && matches(event)) {
      process.stdout.write(`${line}\n`);
      found++;
    }
  }
}

/** Terms joined by `||`: `6.6.6.6`, `10.0.0.0/8`, `"x" == net.domain`, `"x" in net.uri`; anything else is an error of syntax. */
function parse(query) {
  const concepts = { "net.domain": ["query", "rrname"], "net.hostname": ["hostname", "sni"], "net.uri": ["uri", "url"] };
  const terms = query.split(" || ").map((term) => {
    if (isIP(term)) return (event) => leaves(event).some(([, value]) => value === term);
    const [, base, bits] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(term) ?? [];
    if (base !== undefined) return (event) => leaves(event).some(([, value]) => isIP(value) === 4 && number(value) >>> (32 - bits) === number(base) >>> (32 - bits));
    const [, text, operator, concept] = /^("(?:[^"\\]|\\["\\])*") (==|in) (net\.\w+)$/.exec(term) ?? fail(1, `syntax error: ${query}`);
    const value = JSON.parse(text);
    return (event) => leaves(event).some(([name, field]) => concepts[concept].includes(name) && (operator === "==" ? field === value : field.includes(value)));
  });
  return (event) => terms.some((term) => term(event));
}

function number(address) {
  return address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** Names and values of all texts in an event. */
function leaves(value, name = "") {
  if (typeof value === "string") return [[name, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, Array.isArray(value) ? name : key));
}

function matcher([action, ...rest]) {
  const tell = (change) => appendFileSync(file("matcher.ndjson"), `${JSON.stringify(change)}\n`);
  if (rest.some((word) => word.startsWith("--write="))) writeFileSync(rest.find((word) => word.startsWith("--write=")).slice("--write=".length), "written\n");
  if (action === "add" && rest.length >= 2) {
    if (existsSync(file("refuse"))) fail(4, "the matcher is full");
    tell({ add: rest[1], context: rest[2] });
  } else if (action === "remove" && rest.length === 2) tell({ remove: rest[1] });
  else if (action === "ioc-remove" && rest.length === 3) tell({ remove: rest[1] });
  else if (action === "attach" && rest[0] === "json" && rest.length === 2) watch(false);
  else if (action === "start" && rest[0]?.startsWith("--name=")) watch(true);
  else fail(2, "matcher: bad arguments");
}

function watch(old) {
  const values = new Map();
  let told = 0, seen = lines("live.ndjson").length;
  process.on("SIGTERM", () => process.exit(0));
  appendFileSync(file("watching.ndjson"), `${process.pid}\n`);
  setInterval(() => {
    if (existsSync(file("down"))) fail(1, "connection lost");
    for (const line of lines("matcher.ndjson", told)) {
      told++;
      const { add, remove, context } = JSON.parse(line);
      if (add !== undefined) values.set(add, context);
      else values.delete(remove);
    }
    for (const line of lines("live.ndjson", seen)) {
      seen++;
      const event = JSON.parse(line);
      for (const [, value] of leaves(event)) {
        if (!values.has(value)) continue;
        const context = values.get(value);
        const match = old
          ? { ts: event.ts, data_id: 8, indicator_id: 5, matcher: "threatbus", ioc: value, reference: context }
          : { indicator: { value, context: context === undefined ? null : JSON.stringify(context) }, type: event._type ?? "zeek.dns", event };
        process.stdout.write(`${JSON.stringify(match)}\n`);
      }
    }
  }, 10);
}
