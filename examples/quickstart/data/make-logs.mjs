/**
 * Writes zeek/*.log and suricata/eve.json: a day of a small network, in the JSON that Zeek and Suricata write. The same bytes every
 * time. Most of it is harmless; `seen` below holds what the recorded feed warns of. Addresses and names are those set aside for documentation.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

/** 2024-09-16 08:00:00 UTC, in seconds. */
const start = 1_726_473_600;
const hash = (algorithm, text) => createHash(algorithm).update(text).digest("hex");

// A linear congruential generator (Numerical Recipes): chance that is the same every time.
let state = 20_240_916;
const below = (limit) => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) % limit;
const one = (list) => list[below(list.length)];
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const uid = () => `C${Array.from({ length: 17 }, () => letters[below(letters.length)]).join("")}`;

const clients = Array.from({ length: 16 }, (_, n) => `192.0.2.${140 + n}`);
const servers = [...Array.from({ length: 12 }, (_, n) => `198.51.100.${1 + n}`), ...Array.from({ length: 12 }, (_, n) => `203.0.113.${10 + n}`)];
const names = ["www", "mail", "intranet", "static", "api", "updates", "video", "news"].flatMap((host) => [`${host}.good.example`, `${host}.campus.example`]);
const agents = ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.9.1", "python-requests/2.32.3"];
const people = ["ann@good.example", "bo@good.example", "chen@campus.example", "dee@campus.example"];

/** What the feed warns of, one list a log; each entry overrides fields of a harmless event. */
const seen = {
  conn: [
    { "id.resp_h": "198.51.100.23" }, { "id.resp_h": "198.51.100.23" }, { "id.orig_h": "198.51.100.77", "id.resp_h": "192.0.2.141" }, { "id.resp_h": "203.0.113.5" },
    { "id.resp_h": "203.0.113.66" }, { "id.resp_h": "203.0.113.201" }, { "id.resp_h": "192.0.2.99", "id.resp_p": 4444 }, { "id.resp_h": "192.0.2.11" },
    { "id.orig_h": "2001:db8:feed::a", "id.resp_h": "2001:db8:bad::1" }, { "id.orig_h": "2001:db8:feed::b", "id.resp_h": "2001:db8:dead::beef" },
    { orig_l2_addr: "00:00:5e:00:53:01", resp_l2_addr: "00:00:5e:00:53:fe" },
  ],
  dns: [
    { query: "evil.example", answers: ["192.0.2.45"] }, { query: "C2.evil.example", answers: ["203.0.113.18"] }, { query: "xn--bcher-kva.example", answers: ["203.0.113.19"] },
    { query: "exampleexampleab.onion", answers: undefined, rcode: 3, rcode_name: "NXDOMAIN" },
  ],
  http: [
    { host: "evil.example", uri: "/gate.php", method: "POST", "id.resp_h": "192.0.2.45" }, { host: "cdn.badware.example", uri: "/it's.exe" },
    { user_agent: "EvilBot/1.0 (+http://evil.example)" },
  ],
  ssl: [{ server_name: "login-update.example" }, { server_name: "gate.evil.example", "id.resp_p": 8443 }],
  smtp: [{ mailfrom: "ceo@paypa1.example", from: "The CEO <ceo@paypa1.example>" }, { rcptto: ["ann@good.example", "billing@invoice.example"] }],
  eve: [
    { event_type: "dns", dns: { rrname: "dropzone.example" } }, { event_type: "http", http: { hostname: "dropzone.example", url: "/up", http_method: "PUT" } },
    { event_type: "tls", tls: { fingerprint: hash("sha1", "certificate 1").match(/../g).join(":") } }, { event_type: "flow", src_ip: "203.0.113.130" },
    { event_type: "flow", src_ip: "2001:0db8:feed:0000:0000:0000:0000:000a", dest_ip: "2001:0db8:0bad:0000:0000:0000:0000:0053" },
    { event_type: "fileinfo", fileinfo: { filename: "/setup.exe", md5: hash("md5", "sample 1") } }, { event_type: "fileinfo", fileinfo: { filename: "/lib.dll", sha1: hash("sha1", "sample 2") } },
    { event_type: "fileinfo", fileinfo: { filename: "/report.docm", sha256: hash("sha256", "sample 3") } },
    { event_type: "fileinfo", fileinfo: { filename: "/invoice.pdf.exe", sha256: hash("sha256", "sample 4") } },
  ],
};

const connection = (port) => ({ uid: uid(), "id.orig_h": one(clients), "id.orig_p": 49_152 + below(16_000), "id.resp_h": one(servers), "id.resp_p": port });
const zeek = {
  conn: () => ({
    ...connection(one([80, 443, 443, 22])), proto: "tcp", duration: below(90_000) / 1_000, orig_bytes: below(5_000), resp_bytes: below(90_000), conn_state: one(["SF", "SF", "S1", "RSTO"]),
    local_orig: true, local_resp: false, missed_bytes: 0, history: "ShADadfF", orig_pkts: 1 + below(40), resp_pkts: 1 + below(80),
  }),
  dns: () => ({
    ...connection(53), proto: "udp", trans_id: below(65_536), rtt: below(400) / 10_000, query: one(names), qclass: 1, qclass_name: "C_INTERNET", qtype: 1, qtype_name: "A", rcode: 0,
    rcode_name: "NOERROR", AA: false, TC: false, RD: true, RA: true, Z: 0, answers: [one(servers)], TTLs: [300], rejected: false,
  }),
  http: () => ({
    ...connection(80), trans_depth: 1, method: "GET", host: one(names), uri: `/page/${below(500)}`, version: "1.1", user_agent: one(agents), request_body_len: 0,
    response_body_len: below(60_000), status_code: 200, status_msg: "OK", tags: [],
  }),
  ssl: () => ({ ...connection(443), version: "TLSv13", cipher: "TLS_AES_256_GCM_SHA384", curve: "x25519", server_name: one(names), resumed: false, established: true, ssl_history: "CsiI" }),
  smtp: () => {
    const [from, to] = [one(people), one(people)];
    return { ...connection(25), trans_depth: 1, helo: "mail.good.example", mailfrom: from, rcptto: [to], from: `<${from}>`, to: [to], subject: "Minutes", last_reply: "250 queued", tls: false };
  },
};

function eve(type) {
  const event = {
    timestamp: "", flow_id: 1_000_000_000_000 + below(1_000_000_000), event_type: type, src_ip: one(clients), src_port: 49_152 + below(16_000), dest_ip: one(servers),
    dest_port: { dns: 53, tls: 443 }[type] ?? 80, proto: type === "dns" ? "UDP" : "TCP",
  };
  const http = { hostname: one(names), url: `/page/${below(500)}`, http_user_agent: one(agents), http_method: "GET", protocol: "HTTP/1.1", status: 200, length: below(60_000) };
  const details = {
    dns: { dns: { type: "query", id: below(65_536), rrname: one(names), rrtype: "A", tx_id: 0 } },
    http: { tx_id: 0, http },
    tls: { tls: { subject: "CN=good.example", issuerdn: "CN=Example CA", fingerprint: hash("sha1", `own ${below(20)}`).match(/../g).join(":"), sni: one(names), version: "TLS 1.3" } },
    flow: { flow: { pkts_toserver: 1 + below(40), pkts_toclient: 1 + below(40), bytes_toserver: below(9_000), bytes_toclient: below(90_000), state: "closed", reason: "timeout" } },
    fileinfo: { http, app_proto: "http", fileinfo: { filename: http.url, state: "CLOSED", stored: false, size: below(90_000), tx_id: 0, sha256: hash("sha256", `clean ${below(90)}`) } },
  };
  return { ...event, ...details[type] };
}

/** `harmless` events with those of `seen` spread evenly among them, in the order of time over twelve hours. */
function day(count, harmless, seenHere, stamp) {
  const every = Math.floor(count / seenHere.length);
  return Array.from({ length: count }, (_, n) => {
    const overrides = n % every === every - 1 ? (seenHere[(n - every + 1) / every] ?? {}) : {};
    return stamp(merge(harmless(overrides, n), overrides), start + Math.floor((n * 43_200) / count) + below(1_000) / 1_000);
  });
}

function merge(event, overrides) {
  const merged = { ...event };
  for (const [key, value] of Object.entries(overrides)) merged[key] = typeof value === "object" && !Array.isArray(value) ? { ...event[key], ...value } : value;
  return merged;
}

function write(name, events) {
  writeFileSync(new URL(name, import.meta.url), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

const sizes = { conn: 99, dns: 60, http: 42, ssl: 36, smtp: 16 };
for (const [log, count] of Object.entries(sizes)) {
  write(`zeek/${log}.log`, day(count, zeek[log], seen[log], (event, time) => ({ ts: time, ...event })));
}
const types = ["dns", "http", "tls", "flow", "fileinfo"];
write("suricata/eve.json", day(90, ({ event_type: type }, n) => eve(type ?? types[n % types.length]), seen.eve, (event, time) => ({
  ...event,
  timestamp: new Date(time * 1_000).toISOString().replace("Z", "000+0000"),
})));
