/** A path into the configuration; list positions are decimal strings or numbers. */
export type SettingPath = readonly PropertyKey[];

/** Where a value was written. */
export interface Origin {
  /** Of the value: `config.yaml:3:9`, `environment THREATBUS_…`, `--set …`. */
  readonly where: string;
  /** Of its key, where that differs. */
  readonly keyWhere?: string;
  /** The text as written, for scalars without quotes: what type it means is the option's to say. */
  readonly source?: string;
  /** Written on the command line, which nothing beats. */
  readonly commandLine?: true;
}

export type Section = Record<string, unknown>;

export function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const forbidden: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Names that would reach into JavaScript's own machinery, whatever their case. */
export function isForbiddenName(name: string): boolean {
  return forbidden.has(name.toLowerCase());
}

/** The values of a configuration and, for each, its origin. */
export class Settings {
  readonly values: Section;
  readonly #origins: Map<string, Origin> = new Map();
  /** Said of what has no origin of its own. */
  readonly #fallback: Origin;

  constructor(values: Section, fallback: string) {
    this.values = values;
    this.#fallback = { where: fallback };
  }

  note(path: SettingPath, origin: Origin): void {
    this.#origins.set(identity(path), origin);
  }

  /** The origin noted for exactly this path. */
  noted(path: SettingPath): Origin | undefined {
    return this.#origins.get(identity(path));
  }

  /** Where to look for a problem with `path`: at its value, at its key, or at the nearest thing around it. */
  where(path: SettingPath, part: "key" | "value" = "value"): string {
    for (let length = path.length; length >= 0; length--) {
      const origin = this.noted(path.slice(0, length));
      if (origin === undefined) continue;
      const atKey = part === "key" || length < path.length;
      return atKey ? (origin.keyWhere ?? origin.where) : origin.where;
    }
    return this.#fallback.where;
  }

  get(path: SettingPath): unknown {
    let value: unknown = this.values;
    for (const name of path) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
      value = (value as Record<PropertyKey, unknown>)[name];
    }
    return value;
  }

  /** Sets a value, making sections on the way. Returns the path of what is in the way, if anything is. */
  set(path: readonly string[], value: unknown, origin: Origin): SettingPath | undefined {
    const last = path.at(-1);
    if (last === undefined || path.some(isForbiddenName)) return path;
    let target: object = this.values;
    for (const [depth, name] of path.slice(0, -1).entries()) {
      if (!admits(target, name)) return path.slice(0, depth);
      const container = target as Section;
      let next = Object.hasOwn(container, name) ? container[name] : undefined;
      if (next === undefined || next === null) {
        next = container[name] = {};
        this.note(path.slice(0, depth + 1), { where: origin.where });
      }
      if (typeof next !== "object" || next === null) return path.slice(0, depth + 1);
      target = next;
    }
    if (!admits(target, last)) return path.slice(0, -1);
    (target as Section)[last] = value;
    this.#forget(path);
    this.note(path, origin);
    return undefined;
  }

  /** Replaces a value that exists, keeping its origin. */
  replace(path: SettingPath, value: unknown): void {
    const target = this.get(path.slice(0, -1));
    const last = path.at(-1);
    if (typeof target === "object" && target !== null && last !== undefined && Object.hasOwn(target, last)) {
      (target as Record<PropertyKey, unknown>)[last] = value;
    }
  }

  #forget(path: SettingPath): void {
    const below = `${identity(path)},`;
    for (const known of this.#origins.keys()) if (known.startsWith(below)) this.#origins.delete(known);
  }
}

/** Lists take the position of an element, or the next one. */
function admits(target: object, name: string): boolean {
  return !Array.isArray(target) || (/^\d{1,6}$/.test(name) && Number(name) <= target.length);
}

function identity(path: SettingPath): string {
  return JSON.stringify(path.map(String)).slice(0, -1);
}
