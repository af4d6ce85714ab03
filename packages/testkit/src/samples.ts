import { randomUUID } from "node:crypto";
import { message, type Message } from "@threatbus/core";

const now = "2024-05-01T12:00:00.000Z";

/** An indicator like any other, with an id of its own. */
export function indicator(update?: "REMOVE"): Message {
  return message({
    type: "indicator",
    spec_version: "2.1",
    id: `indicator--${randomUUID()}`,
    created: now,
    modified: now,
    valid_from: now,
    pattern: "[ipv4-addr:value = '192.0.2.1']",
    pattern_type: "stix",
    ...(update === undefined ? {} : { x_threatbus_update: update }),
  });
}

/** One message of every kind. */
export function samples(): Message[] {
  return [
    indicator(),
    indicator("REMOVE"),
    message({
      type: "sighting",
      spec_version: "2.1",
      id: `sighting--${randomUUID()}`,
      created: now,
      modified: now,
      sighting_of_ref: `indicator--${randomUUID()}`,
    }),
    message("sigma/rule", "title: test\nlogsource:\n  category: dns\ndetection:\n  name:\n    query: example.com\n  condition: name\n"),
    message("yara/rule", "rule test { condition: false }"),
  ];
}
