/**
 * Where the events of known tools hold what indicators name. Field names as in Suricata 7 and 8 (eve.json, etc/schema.json), Zeek 5 to 8 (script
 * reference, JSON logs) and OCSF 1.0 to 1.6. `a.b` is a field of an object (or, as Zeek writes it, one key with a dot), `a[]` every element of a list.
 */
import type { ObservableKind } from "./observable.ts";

/**
 * | content | a value of the field |
 * |---|---|
 * | `ip` | an address |
 * | `host` | a name or an address |
 * | `url` | a URL; its scheme may be missing |
 * | `email` | text with any number of mailboxes: `Ann <ann@good.example>, bo@good.example` |
 * | `file_hash` | MD5, SHA-1, SHA-256 or SHA-512 of a file, by its length |
 * | `certificate` | fingerprint of an X.509 certificate, with or without colons |
 * | `ja3`, `ja3s`, `ja4` | TLS fingerprints |
 */
export const fieldContents = ["ip", "host", "url", "email", "file_hash", "certificate", "ja3", "ja3s", "ja4"] as const;
export type FieldContent = (typeof fieldContents)[number];

/** What can be found in a field. */
export const kindsOf: Readonly<Record<FieldContent, readonly ObservableKind[]>> = {
  ip: ["ip", "cidr"],
  host: ["ip", "cidr", "domain"],
  url: ["url"],
  email: ["email"],
  file_hash: ["md5", "sha1", "sha256", "sha512"],
  certificate: ["certificate"],
  ja3: ["ja3"],
  ja3s: ["ja3s"],
  ja4: ["ja4"],
};

/** A URL that an event holds in pieces: `http://` + host + target. */
export interface SplitUrl {
  readonly host: string;
  /** What the request names: a path with its query, or with a proxy the whole URL. */
  readonly target: string;
  /** The server's port, a number. */
  readonly port: string;
}

export interface Preset {
  /** A key that every event of the tool has at its top, and those of the others have not. */
  readonly mark: string;
  /** The time of the event: text, or a number since 1970. */
  readonly time: string;
  /** What the number counts. */
  readonly timeUnit: "s" | "ms";
  /** What kind of event it is. */
  readonly type: string;
  readonly fields: Readonly<Record<FieldContent, readonly string[]>>;
  readonly urls: readonly SplitUrl[];
}

export const presetNames = ["suricata", "zeek", "ocsf"] as const;
export type PresetName = (typeof presetNames)[number];

export const presets: Readonly<Record<PresetName, Preset>> = {
  suricata: {
    mark: "event_type",
    time: "timestamp",
    timeUnit: "s",
    type: "event_type",
    fields: {
      ip: [
        "src_ip", "dest_ip", "alert.source.ip", "alert.target.ip", "arp.src_ip", "arp.dest_ip", "dhcp.assigned_ip", "dhcp.client_ip",
        "dhcp.next_server_ip", "dhcp.relay_ip", "dhcp.dns_servers[]", "dhcp.routers[]",
      ],
      host: [
        // Version 2 of the dns record (Suricata 7), version 3 (Suricata 8), and that of alerts.
        "dns.rrname", "dns.queries[].rrname", "dns.query[].rrname", "dns.answer.rrname",
        "dns.answers[].rrname", "dns.answers[].rdata", "dns.answers[].srv.name", "dns.authorities[].rrname", "dns.authorities[].rdata",
        "dns.additionals[].rrname", "dns.additionals[].rdata", "dns.grouped.A[]", "dns.grouped.AAAA[]", "dns.grouped.CNAME[]",
        "dns.grouped.MX[]", "dns.grouped.NS[]", "dns.grouped.PTR[]", "mdns.queries[].rrname", "mdns.answers[].rrname", "mdns.answers[].rdata",
        "http.hostname", "http.xff", "xff", "alert.xff", "tls.sni", "tls.subjectaltname[]", "quic.sni", "smtp.helo", "dhcp.hostname",
      ],
      url: ["http.http_refer", "http.redirect", "email.url[]"],
      email: ["smtp.mail_from", "smtp.rcpt_to[]", "email.from", "email.to[]", "email.cc[]", "email.bcc[]"],
      file_hash: ["fileinfo.md5", "fileinfo.sha1", "fileinfo.sha256", "files[].md5", "files[].sha1", "files[].sha256"],
      certificate: ["tls.fingerprint", "tls.client.fingerprint"],
      ja3: ["tls.ja3.hash", "quic.ja3.hash"],
      ja3s: ["tls.ja3s.hash", "quic.ja3s.hash"],
      ja4: ["tls.ja4", "quic.ja4"],
    },
    urls: [{ host: "http.hostname", target: "http.url", port: "http.http_port" }],
  },
  zeek: {
    mark: "ts",
    time: "ts",
    timeUnit: "s",
    type: "_path",
    fields: {
      ip: [
        "id.orig_h", "id.resp_h", "tx_hosts[]", "rx_hosts[]", "path[]", "x_originating_ip", "data_channel.orig_h", "data_channel.resp_h",
        "client_addr", "server_addr", "assigned_addr", "requested_addr", "framed_addr", "src", "dst", "san.ip[]",
      ],
      host: [
        // `host` is a name in http.log, an address in software.log and known_hosts.log.
        "query", "answers[]", "host", "server_name", "san.dns[]", "helo", "host_name", "request.host", "request.name", "bound.host", "bound.name",
      ],
      url: ["referrer", "san.uri[]"],
      email: ["mailfrom", "rcptto[]", "from", "to[]", "cc[]", "reply_to", "san.email[]"],
      file_hash: ["md5", "sha1", "sha256"],
      certificate: ["fingerprint", "cert_chain_fps[]", "client_cert_chain_fps[]"],
      ja3: ["ja3"],
      ja3s: ["ja3s"],
      ja4: ["ja4"],
    },
    urls: [{ host: "host", target: "uri", port: "id.resp_p" }],
  },
  ocsf: {
    mark: "class_uid",
    time: "time",
    timeUnit: "ms",
    type: "class_name",
    fields: {
      ip: [
        "src_endpoint.ip", "dst_endpoint.ip", "proxy_endpoint.ip", "device.ip", "src_endpoint.intermediate_ips[]", "dst_endpoint.intermediate_ips[]",
        "http_request.x_forwarded_for[]",
      ],
      host: [
        "query.hostname", "answers[].rdata", "src_endpoint.hostname", "dst_endpoint.hostname", "src_endpoint.domain", "dst_endpoint.domain",
        "proxy_endpoint.hostname", "device.hostname", "http_request.url.hostname", "url.hostname", "tls.sni", "tls.certificate.sans[].name",
      ],
      url: ["http_request.url.url_string", "http_request.referrer", "url.url_string"],
      email: [
        "email.from", "email.to[]", "email.cc[]", "email.reply_to", "email.smtp_from", "email.smtp_to[]", "email.from_mailbox", "email.to_mailboxes[]",
      ],
      file_hash: ["file.hashes[].value", "process.file.hashes[].value", "actor.process.file.hashes[].value", "email.files[].hashes[].value"],
      certificate: ["tls.certificate.fingerprints[].value"],
      ja3: ["tls.ja3_hash.value"],
      ja3s: ["tls.ja3s_hash.value"],
      ja4: ["ja4_fingerprint_list[].value"],
    },
    urls: [],
  },
};
