import { readFile } from "node:fs/promises";
import { ThreatbusError } from "@threatbus/core";
import type { Clock, Host } from "@threatbus/core";
import type { ApiOptions } from "../options.ts";
import { RestClient } from "./client.ts";
import { RestFault } from "./fault.ts";
import { persist } from "./retry.ts";
import { askVersion } from "./version.ts";
import type { MispVersion } from "./version.ts";

/** Milliseconds before a MISP that does not let us in, or is none, is asked again. */
const longWait = 300_000;
/** Milliseconds of a day. */
const day = 86_400_000;

/** @throws ThreatbusError `OPTIONS_INVALID` if the file with the authority cannot be read */
export async function openClient({ host, ssl, key, ca_file, key_header, timeout }: ApiOptions, clock: Clock): Promise<RestClient> {
  let ca: Buffer | undefined;
  try {
    ca = ca_file === undefined ? undefined : await readFile(ca_file);
  } catch (cause) {
    throw new ThreatbusError("OPTIONS_INVALID", "api.ca_file cannot be read", { cause, hint: `is there a PEM file at ${ca_file}?` });
  }
  return new RestClient({ url: host, key, keyHeader: key_header, verify: ssl, ca, timeout: timeout * 1_000 }, clock);
}

/** MISP's REST API, and what is known of how it is: every change is told once. */
export class Api {
  readonly client: RestClient;
  readonly #host: Pick<Host, "logger" | "clock">;
  #version: MispVersion | undefined;
  /** What was told last, so that it is not told again. */
  #told = "";
  #answers = false;

  constructor(client: RestClient, { logger, clock, metrics }: Pick<Host, "logger" | "clock" | "metrics">) {
    this.client = client;
    this.#host = { logger, clock };
    metrics.gauge("misp_api_up", () => (this.#answers ? 1 : 0));
  }

  /** Of the last check that succeeded. */
  get version(): MispVersion | undefined {
    return this.#version;
  }

  /** Calls, again and again where waiting helps, until `signal`. @throws RestFault, told already unless it is `closed` */
  async ask<T>(call: () => Promise<T>, signal: AbortSignal, attempts?: number): Promise<T> {
    try {
      const answer = await persist(call, { clock: this.#host.clock, signal, onFault: (fault) => this.#tell(fault), ...(attempts !== undefined && { attempts }) });
      this.#tell(undefined);
      return answer;
    } catch (thrown) {
      if (thrown instanceof RestFault && thrown.kind !== "closed") this.#tell(thrown);
      throw thrown;
    }
  }

  /** Asks who is there and what we may, until that is known or `signal` fires; and tells what an operator should know. */
  async check(signal: AbortSignal): Promise<void> {
    const { logger, clock } = this.#host;
    while (!signal.aborted) {
      try {
        const found = await this.ask(() => askVersion(this.client, signal), signal);
        const { version, maySight, keyExpires } = found;
        const before = this.#version;
        this.#version = found;
        if (before?.version !== version) logger.info("MISP answers", { api: this.client.origin, version });
        if (maySight === false && before?.maySight !== false) logger.error("MISP does not let the user of api.key add sightings: none are reported", { hint: "give the user's role the right perm_sighting, or set sightings.report: false" });
        const left = keyExpires === undefined ? Infinity : Date.parse(keyExpires) - clock.now();
        if (left < 14 * day && before?.keyExpires !== keyExpires) logger.warn("the key of api.key expires soon", { expires: keyExpires });
        return;
      } catch (thrown) {
        if (!(thrown instanceof RestFault)) throw thrown;
        await clock.sleep(longWait, signal);
      }
    }
  }

  #tell(fault: RestFault | undefined): void {
    const { logger } = this.#host;
    this.#answers = fault?.kind !== "away";
    const words = fault?.message ?? "";
    if (words === this.#told) return;
    this.#told = words;
    if (fault === undefined) logger.info("MISP's API answers again", { api: this.client.origin });
    else logger[fault.passes ? "warn" : "error"](fault.passes ? "MISP's API does not answer; trying on" : "MISP's API does not do what it is asked", { api: this.client.origin, reason: words, ...(fault.hint !== undefined && { hint: fault.hint }) });
  }
}
