type EmitWarning = (warning: string | Error, ...more: unknown[]) => void;

let users = 0;
let original: EmitWarning | undefined;

/**
 * While a client is in use, keeps Node ≥ 24 from printing `TimeoutNegativeWarning` for it: kafkajs computes the delay until a throttle ends,
 * and where none is in force that lies in the past (kafkajs issue 1751). The timer is meant to fire at once, and does. The same warning from
 * anywhere else, and every other warning, passes. Returns the end of it.
 */
export function quietNegativeTimeouts(): () => void {
  if (users++ === 0) {
    const passOn = (original = Reflect.get(process, "emitWarning") as EmitWarning);
    Reflect.set(process, "emitWarning", (warning: string | Error, ...more: unknown[]) => {
      const name = typeof more[0] === "string" ? more[0] : (more[0] as { type?: string } | undefined)?.type;
      if (name === "TimeoutNegativeWarning" && /[\\/]kafkajs[\\/]/.test(new Error().stack ?? "")) return;
      passOn.call(process, warning, ...more);
    });
  }
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    if (--users === 0) Reflect.set(process, "emitWarning", original);
  };
}
