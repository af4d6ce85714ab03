import { randomUUID } from "node:crypto";

/**
 * Whether a key of this value may have been misread. V8 reads `"\""` or `"\u0061"` as the key `\` once it has read an object that had a key `\` in
 * the same place (nodejs/node#63785; Node 24 and 26 do, 20 and 22 do not): what is misread always has a backslash. The value is not nested without
 * bounds.
 */
export function mayBeMisread(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(mayBeMisread);
  for (const key in value) {
    if (key.includes("\\") || mayBeMisread((value as Readonly<Record<string, unknown>>)[key])) return true;
  }
  return false;
}

/** Parses JSON that has escapes in its keys: names without escapes stand for these keys, which are parsed by themselves. The text is JSON. */
export function parseEscapedKeys(text: string): unknown {
  const keys = new Map<string, string>();
  const prefix = randomUUID();
  const pieces: string[] = [];
  let copied = 0;
  for (let open = text.indexOf('"'); open >= 0; open = text.indexOf('"', open)) {
    const close = endOf(text, open);
    const string = text.slice(open, close);
    if (string.includes("\\") && isKey(text, close)) {
      const name = `${prefix} ${keys.size}`;
      keys.set(name, JSON.parse(string) as string);
      pieces.push(text.slice(copied, open), `"${name}"`);
      copied = close;
    }
    open = close;
  }
  return named(JSON.parse(pieces.join("") + text.slice(copied)), keys);
}

/** Where a string that opens here has closed. */
function endOf(text: string, open: number): number {
  let at = open + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isKey(text: string, close: number): boolean {
  let at = close;
  while (/[ \t\n\r]/.test(text[at] ?? "")) at++;
  return text[at] === ":";
}

function named(value: unknown, keys: ReadonlyMap<string, string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => named(item, keys));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [keys.get(key) ?? key, named(item, keys)]));
}
