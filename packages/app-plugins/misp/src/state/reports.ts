import type { Report } from "../sightings/report.ts";
import { doneLine, reportLine } from "./line.ts";

/** Sightings that wait for MISP, and which of them the file has: most are gone before it would have them. */
export class Reports {
  readonly #waiting = new Map<string, Report>();
  readonly #written = new Map<string, Report>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Oldest first. */
  values(): Iterable<Report> {
    return this.#waiting.values();
  }

  add(report: Report): void {
    this.#waiting.set(keyOf(report), report);
  }

  delete(report: Pick<Report, "uuid" | "attribute">): void {
    this.#waiting.delete(keyOf(report));
  }

  /** As the file has it. */
  read(report: Report): void {
    this.add(report);
    this.#written.set(keyOf(report), report);
  }

  /** Lines that bring the file up to date. */
  changes(): readonly string[] {
    const lines: string[] = [];
    for (const [key, report] of this.#written) {
      if (this.#waiting.has(key)) continue;
      this.#written.delete(key);
      lines.push(doneLine(report));
    }
    for (const [key, report] of this.#waiting) {
      if (this.#written.has(key)) continue;
      this.#written.set(key, report);
      lines.push(reportLine(report));
    }
    return lines;
  }

  /** Lines of a file that had none. */
  all(): readonly string[] {
    this.#written.clear();
    return this.changes();
  }
}

/** A sighting is about one attribute; an opinion may be about several. */
function keyOf({ uuid, attribute }: Pick<Report, "uuid" | "attribute">): string {
  return `${uuid} ${attribute}`;
}
