import type { Sample } from "@threatbus/core";
import { expect, test } from "vitest";
import { accounts, balance, type Books, printAccounts } from "../src/accounts.ts";
import { Figures } from "../src/figures.ts";

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
    published: 3,
    app: figures({}),
    arrived: { RETRO: 2, LIVE: 1 },
    ...more,
  };
}

/** Changes why the skipped frame was skipped. */
function withReason(reason: string): (one: Sample) => Sample {
  return (one) => (one.name === "misp_skipped" ? { ...one, labels: { reason } } : one);
}

/** As the app exposes them. */
function figures({ added = 2, live = 1 }: { added?: number; live?: number }): Figures {
  const samples = [`indicators_received_total{outcome="added"} ${added}`, 'indicators_received_total{outcome="removed"} 1', 'sightings_total{match="RETRO"} 2', `sightings_total{match="LIVE"} ${live}`];
  return new Figures(samples.map((sample) => `# TYPE of a metric\nvast_threatbus_${sample}\n`).join(""));
}

test("the accounts balance when all that was sent arrived", () => {
  expect(balance(accounts(books()))).toBe(true);
});

test.each<[what: string, more: Partial<Books>, differs: string]>([
  ["a frame that did not arrive", { fed: { ...books().fed, frames: 5 } }, "frames from MISP, received"],
  ["a frame skipped for another reason", { misp: books().misp.map(withReason("value")) }, "  skipped: value"],
  ["an indicator that the app did not get", { app: figures({ added: 1 }) }, "indicators at the app"],
  ["an indicator that the app got twice", { app: figures({ added: 3 }) }, "indicators at the app"],
  ["a sighting that did not come back", { arrived: { RETRO: 2 } }, "sightings back on the bus: LIVE"],
  ["a sighting that came back twice", { arrived: { RETRO: 3, LIVE: 1 } }, "sightings back on the bus: RETRO"],
  ["a sighting that the app knows nothing of", { app: figures({ live: 0 }) }, "sightings back on the bus: LIVE"],
])("%s is told", (_, more, differs) => {
  const rows = accounts(books(more));
  expect(balance(rows)).toBe(false);
  expect(rows.filter(({ equal }) => !equal).map(({ what }) => what)).toContain(differs);
  expect(printAccounts(rows).find((line) => line.includes(differs))).toMatch(/✗ differ$/);
});
