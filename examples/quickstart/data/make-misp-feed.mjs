/**
 * Writes misp-feed.ndjson: what a MISP 2.5 publishes on ZeroMQ while analysts work, junk included. The same bytes every time.
 * Each line: `frame` (or `base64` where it is no text), what the misp plugin does with it (`expect`), and which messages the bus
 * gets from it (`updates`). Addresses, domains and numbers are those set aside for documentation.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

const start = 1_726_500_000;
const lines = [];
let clock = start, ids = 0;

const events = [
  { id: "625", uuid: "5f0c0de0-0000-4000-8000-0000000e0001", info: "Botnet infrastructure", orgc: { id: "2", name: "CERT Example", uuid: "5f0c0de0-0000-4000-8000-00000000c0de" } },
  { id: "626", uuid: "5f0c0de0-0000-4000-8000-0000000e0002", info: "Phishing, week 37", orgc: { id: "3", name: "Blue Team", uuid: "5f0c0de0-0000-4000-8000-00000000b10e" } },
  { id: "627", uuid: "5f0c0de0-0000-4000-8000-0000000e0003", info: "Ransomware samples", orgc: { id: "2", name: "CERT Example", uuid: "5f0c0de0-0000-4000-8000-00000000c0de" } },
];

function categoryOf(type) {
  if (/^(?:email|eppn|target)/.test(type)) return "Payload delivery";
  return /(?:md5|sha|filename|malware|ssdeep)/.test(type) && !type.startsWith("x509") ? "Payload installation" : "Network activity";
}

/** A new attribute, as a row of MISP's. */
function attribute(type, value, more = {}) {
  const id = ++ids;
  const [value1, value2 = ""] = value.split("|");
  const event = events[id % events.length];
  return {
    row: {
      id: String(164_000 + id), event_id: event.id, object_id: "0", object_relation: null, category: categoryOf(type), type, value1, value2, to_ids: true,
      uuid: `5f0c0de0-0000-4000-8000-${id.toString(16).padStart(12, "0")}`, timestamp: String(++clock), distribution: "5", sharing_group_id: "0", comment: "",
      deleted: false, disable_correlation: false, first_seen: null, last_seen: null, value, Sighting: [], ...more,
    },
    event,
  };
}

function eventOf({ id, uuid, info, orgc }) {
  return { id, date: "2024-09-16", info, uuid, published: false, analysis: "1", threat_level_id: "2", org_id: "1", orgc_id: orgc.id, distribution: "1", sharing_group_id: "0", Orgc: orgc };
}

function line(frame, expect, updates = []) {
  lines.push({ frame, expect, ...(updates.length > 0 && { updates }) });
}

function tell(action, { row, event }, expect, updates, around = {}) {
  const body = { Attribute: row, ...(action !== "delete" && { Event: eventOf(event) }), action, ...around };
  line(`misp_json_attribute ${JSON.stringify(body)}`, expect, updates);
}

function add(type, value, more) {
  const made = attribute(type, value, more);
  tell("add", made, "mapped", ["ADD"]);
  return made;
}

/** A later save of the same row. */
function save(made, more, expect, updates, action = "edit") {
  const [value1, value2 = ""] = (more.value ?? made.row.value).split("|");
  made.row = { ...made.row, value1, value2, ...more, timestamp: String(++clock) };
  tell(action, made, expect, updates);
}

const hash = (algorithm, text) => createHash(algorithm).update(text).digest("hex");
const tag = (name, id, more = {}) => ({ id: String(id), name, colour: "#ffc000", exportable: true, local: false, ...more });
const amber = [tag("tlp:amber", 3)];
const rich = [tag("tlp:green", 2), tag('misp:confidence-level="usually-confident"', 41), tag("botnet", 42), tag("only-here", 43, { local: true })];

let uptime = 0;
const heartbeat = () => line(`misp_json_self ${JSON.stringify({ status: "And we're out of beta, we're releasing on time.", uptime: (uptime += 10) })}`, "skipped:heartbeat");

/** Values that the quick start's logs name, live when the feed is through. */
const watched = [
  ["ip-dst", "198.51.100.23", { Tag: rich }], ["ip-src", "198.51.100.77"], ["ip-dst", "203.0.113.5", { Tag: amber }], ["ip-dst", "203.0.113.66"], ["ip-src", "203.0.113.130"],
  ["ip-dst", "192.0.2.45"], ["ip-src", "192.0.2.200"], ["ip-dst", "203.0.113.192/27"], ["ip-dst", "2001:db8:bad::1"], ["ip-src", "2001:0DB8:0BAD::0053"],
  ["ip-dst", "2001:db8:c2::7"], ["ip-dst", "2001:db8:dead::/48"], ["ip-dst|port", "192.0.2.99|4444"], ["ip-dst|port", "2001:db8:c2::9|8080"],
  ["domain", "evil.example"], ["hostname", "c2.evil.example"], ["domain", "login-update.example"], ["hostname", "CDN.badware.example"], ["domain", "b\u00fccher.example"],
  ["domain", "dropzone.example"], ["hostname|port", "gate.evil.example|8443"], ["domain|ip", "panel.botnet.example|198.51.100.140"], ["onion-address", "exampleexampleab.onion"],
  ["url", "http://evil.example/gate.php"], ["url", "https://login-update.example/account/verify?id=7"], ["url", "http://cdn.badware.example/it's.exe"], ["uri", "http://dropzone.example/up"],
  ["email-src", "ceo@paypa1.example"], ["email-dst", "billing@invoice.example"], ["email", "Support@login-update.example"], ["user-agent", "EvilBot/1.0 (+http://evil.example)"],
  ["md5", hash("md5", "sample 1")], ["sha1", hash("sha1", "sample 2")], ["sha256", hash("sha256", "sample 3")], ["filename|sha256", `invoice.pdf.exe|${hash("sha256", "sample 4")}`],
  ["malware-sample", `dropper.bin|${hash("md5", "sample 5")}`], ["x509-fingerprint-sha1", hash("sha1", "certificate 1")], ["x509-fingerprint-sha256", hash("sha256", "certificate 2").toUpperCase()],
  ["AS", "AS64500"], ["mac-address", "00:00:5E:00:53:01"], ["stix2-pattern", "[domain-name:value = 'stix.evil.example'] FOLLOWEDBY [ipv4-addr:value = '198.51.100.141'] WITHIN 60 SECONDS"],
];

/** More of the same, to make a stream of it. */
const bulk = [];
for (let n = 1; n <= 28; n++) bulk.push(["ip-dst", `198.51.100.${150 + n}`]);
for (let n = 1; n <= 24; n++) bulk.push(["ip-src", `2001:db8:${n.toString(16)}::${(n * 7).toString(16)}`]);
for (let n = 1; n <= 48; n++) bulk.push([n % 2 ? "domain" : "hostname", `host${n}.malware${n % 5}.example`]);
for (let n = 1; n <= 30; n++) bulk.push(["url", `http://host${n}.malware${n % 5}.example/stage${n}?k=${n * 17}`]);
for (let n = 1; n <= 38; n++) bulk.push(["sha256", hash("sha256", `bulk ${n}`)]);
for (let n = 1; n <= 6; n++) bulk.push(["ip-dst|port", `192.0.2.${100 + n}|${8000 + n}`]);
for (let n = 1; n <= 6; n++) bulk.push(["domain|ip", `pair${n}.example|192.0.2.${120 + n}`]);
for (let n = 1; n <= 4; n++) bulk.push([["target-email", "eppn", "mac-eui-64", "x509-fingerprint-md5"][n - 1], ["victim@good.example", "user@campus.example", "00:00:5e:ff:fe:00:53:02", hash("md5", "certificate 3")][n - 1]]);

/** Frames that are no attribute message: each is refused or skipped, none does harm. */
const junk = [
  () => line("misp_json_attribute", "refused:frame"),
  () => line('misp_json_attribute{"Attribute":{}}', "refused:frame"),
  () => line("misp_json_attribute ", "refused:json"),
  () => line('misp_json_attribute {"Attribute": {"id": "1", ', "refused:json"),
  () => lines.push({ base64: Buffer.concat([Buffer.from('misp_json_attribute {"Attribute": {"value": "'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}}')]).toString("base64"), expect: "refused:utf8" }),
  () => line(`misp_json_attribute ${"[".repeat(500)}${"]".repeat(500)}`, "refused:depth"),
  () => line("misp_json_attribute []", "refused:shape"),
  () => line('misp_json_attribute {"__proto__": {"Attribute": {}}, "constructor": {"prototype": {"polluted": true}}}', "refused:keys"),
  () => tell("explode", attribute("ip-dst", "192.0.2.1"), "refused:action"),
  () => tell("add", attribute("ip-dst", "192.0.2.1", { uuid: "not-a-uuid" }), "refused:uuid"),
  () => tell("add", attribute("ip-dst", "192.0.2.1", { timestamp: "yesterday" }), "refused:timestamp"),
  () => tell("add", attribute("ip-dst", "192.0.2.1", { to_ids: "perhaps" }), "refused:to_ids"),
  () => line('misp_json_attribute_new {"Attribute":{}}', "skipped:topic"),
  () => tell("add", attribute("ip-dst", "999.0.2.1"), "skipped:value"),
  () => tell("add", attribute("domain", "evil.example' OR url:value = 'x"), "skipped:value"),
  () => tell("add", attribute("md5", "d41d8cd98f00b204"), "skipped:value"),
  () => tell("add", attribute("uri", "/gate.php"), "mapped", ["ADD"]),
  () => tell("add", attribute("comment", "seen in the sandbox", { to_ids: true, category: "Other" }), "skipped:type"),
  () => tell("add", attribute("yara", "rule x { condition: true }"), "mapped", ["ADD"]),
  () => tell("add", attribute("ja3-fingerprint-md5", hash("md5", "ja3")), "skipped:type"),
  () => tell("add", attribute("__proto__", "x"), "skipped:type"),
  () => tell("add", attribute("link", "https://report.example/1", { to_ids: false }), "skipped:to_ids"),
  () => tell("add", attribute("ip-dst", "192.0.2.2", { to_ids: "0" }), "skipped:to_ids"),
  () => tell("add", attribute("domain", "benign.example", { to_ids: 0 }), "skipped:to_ids"),
];

heartbeat();
const stream = [];
for (const one of watched) stream.push(() => add(...one));
for (const one of bulk) stream.push(() => add(...one));
stream.forEach((step, at) => {
  step();
  if (at % 6 === 5) junk.shift()?.();
  if (at % 40 === 39) heartbeat();
});
while (junk.length > 0) junk.shift()();

// Other forms of the same fields: integers, "1", lists as objects, an event that is only an id, no action.
tell("add", attribute("ip-dst", "192.0.2.60", { id: 164_900, event_id: 625, timestamp: ++clock, to_ids: 1, deleted: 0, Tag: { 0: tag("tlp:amber", 3), 2: tag("botnet", 42) } }), "mapped", ["ADD"], {
  Event: { id: 625, org_id: 1, orgc_id: 2, uuid: events[0].uuid, Orgc: events[0].orgc },
});
tell("add", attribute("domain", "integers.example", { to_ids: "1", deleted: "0" }), "mapped", ["ADD"], { Event: "625" });
tell(undefined, attribute("domain", "oldmisp.example"), "mapped", ["ADD"], { Event: undefined });
tell("add", attribute("domain|ip", "halves.example|192.0.2.61", { value: undefined }), "mapped", ["ADD"]);

// What happens to an attribute later.
const edited = add("ip-dst", "192.0.2.50");
save(edited, { comment: "seen by two sensors" }, "mapped", ["EDIT"]);
save(edited, { Tag: rich }, "mapped", ["EDIT"]);
const moved = add("ip-dst", "192.0.2.10");
save(moved, { value: "192.0.2.11" }, "mapped", ["REMOVE", "ADD"]);
const retyped = add("hostname", "typo.example");
save(retyped, { type: "url", value: "http://typo.example/x" }, "mapped", ["REMOVE", "ADD"]);
const demoted = add("domain", "demoted.example");
save(demoted, { type: "comment" }, "mapped", ["REMOVE"]);
const switchedOff = ["retired.example", "paused.example", "quiet.example"].map((name) => add("domain", name));
save(switchedOff[0], { to_ids: false }, "mapped", ["REMOVE"]);
save(switchedOff[1], { to_ids: "0" }, "mapped", ["REMOVE"]);
save(switchedOff[2], { to_ids: 0 }, "mapped", ["REMOVE"]);
save(switchedOff[2], { to_ids: false, comment: "still off" }, "skipped:absent", []);
save(switchedOff[1], { to_ids: true }, "mapped", ["ADD"]);
const softDeleted = ["198.51.100.66", "198.51.100.67", "198.51.100.68"].map((value) => add("ip-dst", value, { Tag: amber }));
for (const made of softDeleted) save(made, { deleted: true }, "mapped", ["REMOVE"], "soft-delete");
save(softDeleted[2], { deleted: false }, "mapped", ["ADD"]);
const sanitised = [add("hostname", "old.evil.example", { Tag: amber }), add("md5", hash("md5", "sanitised"))];
for (const made of sanitised) save(made, { type: "comment", value: "deleted", to_ids: false, deleted: true, Tag: undefined }, "mapped", ["REMOVE"], "soft-delete");
const hardDeleted = [add("ip-src", "203.0.113.99"), add("domain|ip", "hard.example|203.0.113.98")];
for (const made of hardDeleted) tell("delete", made, "mapped", ["REMOVE"]);
tell("delete", hardDeleted[0], "skipped:absent", []);
const deletedEdit = add("url", "http://edited-away.example/");
save(deletedEdit, { deleted: "1" }, "mapped", ["REMOVE"]);
// Saved before this recording began, removed in it.
tell("soft-delete", attribute("domain", "before.example", { deleted: true }), "mapped", ["REMOVE"]);
tell("delete", attribute("ip-dst", "192.0.2.70"), "mapped", ["REMOVE"]);
tell("soft-delete", attribute("comment", "deleted", { to_ids: false, deleted: true }), "skipped:to_ids", []);
// Too late: older than what came before.
tell("edit", { ...moved, row: { ...moved.row, value: "192.0.2.10", value1: "192.0.2.10", timestamp: String(start) } }, "skipped:stale", []);
heartbeat();

writeFileSync(new URL("misp-feed.ndjson", import.meta.url), lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
console.log(`${lines.length} frames`);
