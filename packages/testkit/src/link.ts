import type { Socket } from "node:net";
import { mixSeed, seeded } from "./random.ts";
import { concerns, effectOf, type Effect, type Entry } from "./toxics.ts";

/** Bytes held per direction before the sender is made to wait. Enough for 1 s of latency at 8 MB/s. */
const heldBytes = 8 * 1024 * 1024;

/** One direction of one connection. */
export interface Link {
  /** The toxics changed: what is held is looked at again. */
  refresh(): void;
  /** Lets go of everything; the sockets are the caller's. */
  end(): void;
}

export interface LinkOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly direction: "up" | "down";
  readonly seed: number;
  readonly entries: ReadonlySet<Entry>;
  /** Called when a toxic wants the whole connection closed. */
  readonly close: () => void;
}

interface Chunk {
  bytes: Buffer;
  readonly arrived: number;
  readonly draw: number;
}

/** Moves bytes from one socket to the other, through the toxics that concern this direction. */
export function link({ from, to, direction, seed, entries, close }: LinkOptions): Link {
  const draw = seeded(mixSeed(seed, 0x6c61));
  const effects = new Map<Entry, Effect>();
  const queue: Chunk[] = [];
  let held = 0;
  let notBefore = 0;
  let ended = false;
  let endedAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  from.on("data", (bytes) => {
    if (ended) return;
    queue.push({ bytes, arrived: performance.now(), draw: draw() });
    held += bytes.length;
    step();
  });
  from.on("end", () => {
    endedAt = performance.now();
    step();
  });
  to.on("drain", step);
  refresh();

  function refresh(): void {
    for (const entry of effects.keys()) if (!entries.has(entry)) effects.delete(entry);
    for (const entry of entries) if (concerns(entry, direction) && !effects.has(entry)) effects.set(entry, effectOf(entry, seed));
    notBefore = 0;
    step();
  }

  /** Does what can be done now and leaves a timer or an event for the rest. */
  function step(): void {
    clearTimeout(timer);
    if (ended) return;
    while (!halfOpen() && !to.writableNeedDrain) {
      const chunk = queue[0];
      if (chunk === undefined) {
        finish();
        break;
      }
      const wait = Math.max(chunk.arrived + total((effect) => effect.delay?.(chunk.draw)), notBefore) - performance.now();
      if (wait > 0) {
        timer = setTimeout(step, Math.ceil(wait));
        break;
      }
      pass(chunk);
      if (ended) return;
    }
    if (halfOpen() || held > heldBytes) from.pause();
    else if (from.isPaused()) from.resume();
  }

  function pass(chunk: Chunk): void {
    const size = [...effects.values()].reduce((least, effect) => Math.min(least, effect.most?.() ?? Infinity), chunk.bytes.length);
    const piece = chunk.bytes.subarray(0, size);
    if (size === chunk.bytes.length) queue.shift();
    else chunk.bytes = chunk.bytes.subarray(size);
    held -= size;
    const kept = [...effects.values()].every((effect) => effect.touch?.(piece) ?? true);
    if (kept && size > 0 && to.writable) to.write(piece);
    const pause = total((effect) => effect.sent?.(size));
    if (pause > 0) notBefore = performance.now() + pause;
    if ([...effects.values()].some((effect) => effect.spent?.() === true)) {
      end();
      close();
    }
  }

  function finish(): void {
    if (endedAt === undefined) return;
    const wait = endedAt + slowClose() - performance.now();
    if (wait > 0) {
      timer = setTimeout(step, Math.ceil(wait));
      return;
    }
    end();
    to.end();
  }

  function end(): void {
    ended = true;
    clearTimeout(timer);
    queue.length = 0;
    held = 0;
  }

  function total(of: (effect: Effect) => number | undefined): number {
    let sum = 0;
    for (const effect of effects.values()) sum += of(effect) ?? 0;
    return sum;
  }

  function slowClose(): number {
    let delay = 0;
    for (const { toxic } of effects.keys()) if (toxic.type === "slowClose") delay += toxic.delay;
    return delay;
  }

  function halfOpen(): boolean {
    for (const { toxic } of entries) if (toxic.type === "halfOpen") return true;
    return false;
  }

  return { refresh, end };
}
