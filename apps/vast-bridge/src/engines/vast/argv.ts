/** Command lines of VAST, as its releases take them. Values arrive here checked, each is one argument, and none can begin with a dash. */
import type { Observable, ObservableKind } from "../../observable.ts";

/** `2022.05.16`: matchers are attached to and take values as arguments. `2021.02.24`: matchers are started, indicators imported. */
export const releases = ["2022.05.16", "2021.02.24"] as const;
export type Release = (typeof releases)[number];

export const retroKinds: ReadonlySet<ObservableKind> = new Set<ObservableKind>(["ip", "cidr", "domain", "url"]);
/** A matcher compares values; blocks of addresses it does not know. */
export const liveKinds: ReadonlySet<ObservableKind> = new Set<ObservableKind>(["ip", "domain", "url"]);

export interface Target {
  /** `host:port`; empty for the tool's own default. */
  readonly endpoint: string;
  readonly release: Release;
  readonly matcherName: string;
}

export class CommandLines {
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  status(): string[] {
    return this.#line("status");
  }

  help(): string[] {
    return this.#line("export", "--help");
  }

  /** For all events that any of the observables is in. @param limit events; `Infinity`: all */
  retro(observables: readonly Observable[], limit: number, lowPriority: boolean): string[] {
    const flags = [
      ...(this.#old ? [] : ["--caf.scheduler.max-threads=1"]),
      ...(lowPriority ? ["--low-priority"] : []),
      ...(limit === Infinity ? [] : [`--max-events=${limit}`]),
    ];
    return this.#line("export", ...flags, "json", observables.map((one) => queryOf(one, this.#target.release)).join(" || "));
  }

  watch(): string[] {
    const { matcherName } = this.#target;
    return this.#old ? this.#line("matcher", "start", `--name=${matcherName}`) : this.#line("matcher", "attach", "json", matcherName);
  }

  /** With {@link importLine} on its standard input, for the old release. */
  add({ value }: Observable, indicator: string): string[] {
    return this.#old
      ? this.#line("import", "json", "--type=intel.indicator")
      : this.#line("matcher", "add", this.#target.matcherName, value, `threatbus__${indicator}`);
  }

  remove({ kind, value }: Observable): string[] {
    const { matcherName } = this.#target;
    return this.#old ? this.#line("matcher", "ioc-remove", matcherName, value, kind) : this.#line("matcher", "remove", matcherName, value);
  }

  /** What the old release reads of an indicator. */
  importLine({ kind, value }: Observable, indicator: string): string | undefined {
    return this.#old ? JSON.stringify({ ioc: value, type: kind, reference: `threatbus__${indicator}` }) : undefined;
  }

  get #old(): boolean {
    return this.#target.release === "2021.02.24";
  }

  #line(...words: readonly string[]): string[] {
    const { endpoint } = this.#target;
    return [...(endpoint === "" ? [] : ["-e", endpoint]), ...words];
  }
}

/** In VAST's query language: addresses and blocks stand alone, text in quotes beside the concepts it may be in. */
export function queryOf({ kind, value }: Observable, release: Release): string {
  if (kind === "ip" || kind === "cidr") return value;
  const operator = release === "2021.02.24" ? "in" : "==";
  const text = `"${value.replace(/["\\]/g, "\\$&")}"`;
  return (kind === "url" ? ["net.uri"] : ["net.domain", "net.hostname"]).map((concept) => `${text} ${operator} ${concept}`).join(" || ");
}

/** An argument as a shell would have to read it, for people. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
