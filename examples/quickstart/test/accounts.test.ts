import type { Sample } from "@threatbus/core";
import { expect, test } from "vitest";
import { accounts, balance, type Books, printAccounts, Tally } from "../src/accounts.ts";

const sample = (name: string, value: number, labels: Readonly<Record<string, string>> = {}): Sample => ({ name, labels, kind: "counter", value });

function books(more: Partial<Books> = {}): Books {
  return {
    fed: { frames: 4, mapped: 2, skipped: { type: 1 }, refused: { json: 1 }, updates: { ADD: 2 } },
    misp: [
      sample("misp_received", 4, { from: "feed" }),
      sample("misp_mapped", 2),
      sample("misp_skipped", 1, { reason: "type" }),
      sample("misp_refused", 1, { reason: "json" }),
      sample("misp_messages", 2, { update: "ADD" }),
    ],
    published: tally("ADD one", "ADD two"),
    received: tally("ADD two", "ADD one"),
    sent: tally("SEEN one"),
    arrived: tally("SEEN one", "SEEN by another"),
    ...more,
  };
}

/** Changes why the skipped frame was skipped. */
function withReason(reason: string): (one: Sample) => Sample {
  return (one) => (one.name === "misp_skipped" ? { ...one, labels: { reason } } : one);
}

function tally(...keys: string[]): Tally {
  const made = new Tally();
  for (const key of keys) made.add(key);
  return made;
}

test("the accounts balance when all that was sent arrived", () => {
  expect(balance(accounts(books()))).toBe(true);
});

test.each<[what: string, more: Partial<Books>, differs: string]>([
  ["a frame that did not arrive", { fed: { ...books().fed, frames: 5 } }, "frames from MISP, received"],
  ["a frame skipped for another reason", { misp: books().misp.map(withReason("value")) }, "  skipped: value"],
  ["an indicator that the app did not get", { received: tally("ADD one") }, "indicators at the app"],
  ["an indicator that the app got twice, and another not", { received: tally("ADD one", "ADD one") }, "indicators at the app"],
  ["a sighting that did not come back", { arrived: tally("SEEN by another") }, "sightings back on the bus"],
])("%s is told", (_, more, differs) => {
  const rows = accounts(books(more));
  expect(balance(rows)).toBe(false);
  expect(rows.filter(({ equal }) => !equal).map(({ what }) => what)).toContain(differs);
  expect(printAccounts(rows).find((line) => line.includes(differs))).toMatch(/✗ differ$/);
});
