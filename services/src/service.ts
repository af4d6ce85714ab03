/** A broker that was started for one purpose and may be broken. */
export interface Service {
  readonly host: "127.0.0.1";
  /** Of the program, `3.10.8`. */
  readonly version: string;
  /** Of the broker's own process. Throws while it does not run. */
  readonly pid: number;
  /** SIGKILL. Resolves when the process is dead; its data stay. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves when the process has ended in order. */
  terminate(): Promise<void>;
  /** Again, on the same ports and data. Resolves when it answers. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay open, nobody answers. Returns when nothing of it runs any more. */
  pause(): void;
  resume(): void;
  /** Ends its processes and removes its folder. Twice is harmless. */
  stop(): Promise<void>;
}
