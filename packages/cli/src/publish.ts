import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { reasonOf } from "@threatbus/core";
import type { Client } from "@threatbus/zmq-client";
import { itemsOf, type Item } from "./content.ts";
import { abortOnSignal, exitCodes, printable, printableJson, type Signal, signalExitCode } from "@threatbus/program";
import { fail } from "./failure.ts";
import { join, type JoinOptions } from "./joining.ts";
import type { GlobalOptions } from "./options.ts";
import { Sent } from "./sent.ts";

export interface PublishOptions extends JoinOptions, GlobalOptions {
  /** Seconds to wait for a message to come back from the bus. */
  readonly wait: number;
  /** Tell only of what was not taken. */
  readonly quiet: boolean;
  readonly json: boolean;
}

type Outcome = "seen" | "refused" | "unseen" | "unsent" | "unreadable";

const words: Readonly<Record<Outcome, string>> = {
  seen: "on the bus",
  refused: "refused",
  unseen: "sent, but not seen on the bus",
  unsent: "not sent",
  unreadable: "cannot be read",
};

/** Messages that may be under way at one time, well below what the bus keeps for a subscriber. */
const maxUnderWay = 500;

/** Publishes what the files hold and tells of each what became of it. */
export async function publish(files: readonly string[], options: PublishOptions): Promise<void> {
  const signal = abortOnSignal();
  const counts: Record<Outcome, number> = { seen: 0, refused: 0, unseen: 0, unsent: 0, unreadable: 0 };
  const tell = (where: string, outcome: Outcome, detail: string = ""): void => {
    counts[outcome]++;
    if (options.quiet && outcome === "seen") return;
    const line = options.json ? printableJson({ where, outcome, ...(detail === "" ? {} : { detail }) }) : printable(`${where}: ${words[outcome]}${detail === "" ? "" : ` (${detail})`}`);
    process.stdout.write(`${line}\n`);
  };
  let client: Client | undefined;
  try {
    client = await join(options, signal);
    const sender = await Sent.through(client, options.wait * 1_000, tell);
    for (const file of files) {
      const content = await contentOf(file).catch((error: unknown) => tell(file, "unreadable", reasonOf(error)));
      if (content === undefined) continue;
      let empty = true;
      for (const item of itemsOf(file === "-" ? "standard input" : file, content)) {
        empty = false;
        if (signal.aborted) break;
        await offer(item, client, sender, tell);
      }
      if (empty) tell(file, "refused", "nothing in it");
    }
    await sender.settled(0);
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
  await client?.close();
  if (process.exitCode !== undefined) return;
  const missed = counts.refused + counts.unseen + counts.unsent + counts.unreadable;
  if (!options.json) process.stdout.write(`${counts.seen} on the bus, ${missed} not\n`);
  process.exitCode = signal.aborted ? signalExitCode(signal.reason as Signal) : missed > 0 ? exitCodes.failed : exitCodes.ok;
}

async function offer({ where, message, refused }: Item, client: Client, sender: Sent, tell: (where: string, outcome: Outcome, detail?: string) => void): Promise<void> {
  if (message === undefined) return tell(where, "refused", refused);
  await sender.settled(maxUnderWay - 1);
  sender.expect(where, message);
  try {
    await client.publish({ topic: message.topic, payload: message.payload });
  } catch (error) {
    sender.forget(message);
    tell(where, "unsent", reasonOf(error));
  }
}

async function contentOf(file: string): Promise<Buffer> {
  if (file !== "-") return readFile(file);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
