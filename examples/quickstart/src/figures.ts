/** The figures of the matching app, by name and labels: `sightings_total{match="LIVE"}`. */
export class Figures {
  readonly #values: ReadonlyMap<string, number>;

  /** @param text in Prometheus's text format; all names begin with `vast_threatbus_` */
  constructor(text: string = "") {
    const samples = text.matchAll(/^vast_threatbus_(\S+) (\S+)$/gm);
    this.#values = new Map([...samples].map(([, name = "", value]) => [name, Number(value)]));
  }

  /** 0 if it is not there yet. */
  of(name: string): number {
    return this.#values.get(name) ?? 0;
  }

  /** Over all labels. */
  sumOf(name: string): number {
    return [...this.#values].reduce((sum, [key, value]) => (key.startsWith(`${name}{`) ? sum + value : sum), 0);
  }

  /** Asks the app. None while it does not listen. */
  static async from(url: string): Promise<Figures> {
    const text = await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(5_000) }).then((answer) => answer.text(), () => "");
    return new Figures(text);
  }
}
