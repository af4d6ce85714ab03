// Inside a process that sends and receives over a broker: what `crossing.mjs` asks of it over the IPC channel.
import { indicators, sequenceOf } from "./indicators.mjs";
import { pause } from "./processes.mjs";

/** Milliseconds without an arrival after which nothing more is waited for. */
const silence = 5_000;
/** Indicators made at a time, before the clock runs. */
const share = 10_000;

/** Seconds of a clock that all processes of the machine share. */
const now = () => Number(process.hrtime.bigint()) / 1e9;

/**
 * Serves until told to stop.
 * @param {object} means
 * @param {(payload: Buffer) => Promise<unknown>} [means.publish] resolves when the broker has answered for it
 * @param {(payloads: Buffer[]) => Promise<unknown>} [means.publishAll] in its place, for a client that takes many at once
 * @param {(arrive: (payload: Uint8Array) => void) => Promise<unknown>} means.subscribe called at most once
 * @param {() => number} means.arrived how many came from the broker so far, of whatever run and for whomever
 * @param {() => Promise<unknown>} means.stop
 */
export function serve({ publish, publishAll = oneByOne(publish), subscribe, arrived, stop }) {
  let subscribed;
  let tally;
  const orders = {
    async expect(order) {
      await (subscribed ??= subscribe((payload) => tally.add(sequenceOf(payload))));
      tally = count(order);
    },
    /** Answered when all have come, or nothing comes any more. */
    result: () => tally.complete,
    publish: (order) => send(publishAll, order),
    /** Answered when nothing of the last run is on its way any more. */
    async settle() {
      for (let before = -1; before !== arrived(); ) {
        before = arrived();
        await pause(100);
      }
    },
  };
  process.on("message", async ({ id, kind, ...order }) => process.send({ id, ...(await orders[kind](order)) }));
  process.once("SIGTERM", async () => {
    await stop();
    process.exit();
  });
  console.log("ready");
}

/** Each number from `first` on has to come once, in order. */
function count({ first, count: expected }) {
  const seen = new Uint8Array(expected);
  const result = { received: 0, repeated: 0, unordered: 0, at: 0 };
  let latest = -1;
  let finish;
  const complete = new Promise((resolve) => (finish = resolve));
  let before = 0;
  const timer = setInterval(() => {
    if (result.received === before && before > 0) end();
    before = result.received;
  }, silence);
  const end = () => {
    clearInterval(timer);
    finish({ ...result, lost: expected - result.received });
  };
  return {
    complete,
    add(sequence) {
      const place = sequence - first;
      // Of an earlier run.
      if (!(place >= 0 && place < expected)) return;
      if (seen[place]++ > 0) return void result.repeated++;
      if (place < latest) result.unordered++;
      latest = place;
      if (++result.received < expected) return;
      result.at = now();
      end();
    },
  };
}

/** Resolves when the broker has answered for all. */
async function send(publishAll, { first, count: wanted, window }) {
  const payloads = [];
  for (let made = 0; made < wanted; made += share) payloads.push(...indicators(first + made, Math.min(share, wanted - made)));
  const began = now();
  await publishAll(payloads, window);
  return { began, at: now() };
}

/** With `window` of them under way at a time. */
function oneByOne(publish) {
  return (payloads, window) =>
    new Promise((resolve, reject) => {
      let sent = 0;
      let answered = 0;
      const more = () => {
        while (sent < payloads.length && sent - answered < window) publish(payloads[sent++]).then(answer, reject);
      };
      const answer = () => {
        if (++answered === payloads.length) resolve();
        else more();
      };
      more();
    });
}
