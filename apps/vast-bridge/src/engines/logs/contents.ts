import { Buffer } from "node:buffer";
import type { FieldOptions } from "../../field-options.ts";
import { fieldContents, presets } from "../../fields.ts";
import type { FieldContent } from "../../fields.ts";

/** What a string may hold, a bit each: an address; a name; a URL; mailboxes; or what is compared as it stands, hashes and the target of a request. */
export const asAddress = 1, asName = 2, asUrl = 4, asMailbox = 8, asText = 16;
const anything = asAddress | asName | asUrl | asMailbox | asText;

const readAs: Readonly<Record<FieldContent, number>> = {
  ip: asAddress, host: asAddress | asName, url: asUrl, email: asMailbox, file_hash: asText, certificate: asText, ja3: asText, ja3s: asText, ja4: asText,
};
const quoteColon = 0x3a22, backslashes = 0x5c5c5c5c;

/**
 * What the strings of an event may hold, by the last four characters of their keys: most are of no interest, which takes no look at them. (Shorter keys
 * have their quote among the four, and what stands before it.)
 */
export class Contents {
  readonly #ends: Uint8Array = new Uint8Array(65_536);

  constructor(options: FieldOptions) {
    for (const [key, contents] of keysOf(options)) for (const end of endsOf(`"${key}`)) this.#ends[indexOf(end)] = (this.#ends[indexOf(end)] as number) | contents;
  }

  /** @param open where the quote of the string is */
  of(view: DataView, open: number): number {
    // The first string of a block, an element of a list, or blanks after a key.
    if (open < 11 || view.getUint16(open - 2, true) !== quoteColon) return anything;
    // The characters that names of fields are made of have one escape, `\u0069`.
    const escapes = view.getInt32(open - 11, true) ^ backslashes;
    if (((escapes - 0x01010101) & ~escapes & 0x80808080) !== 0) return anything;
    return this.#ends[indexOf(view.getInt32(open - 6, true))] as number;
  }
}

const ascii = String.fromCharCode(...Array.from({ length: 128 }).keys());

/** Of four bytes in a table of 2¹⁶. */
function indexOf(bytes: number): number {
  return Math.imul(bytes, 0x9e3779b1) >>> 16;
}

/** The four bytes that may stand at the end of a key, little-endian. */
function endsOf(key: string): number[] {
  if (key.length >= 4) return [Buffer.from(key).readInt32LE(key.length - 4)];
  const before = key.startsWith('"') ? "{, \t\r" : ascii;
  return [...before].flatMap((character) => endsOf(character + key));
}

/** The keys of the fields that are looked into. */
function keysOf({ presets: names, fields }: FieldOptions): [key: string, contents: number][] {
  const used = names.map((name) => presets[name]);
  const paths = [
    ...[fields, ...used.map((preset) => preset.fields)].flatMap((one) => fieldContents.flatMap((content) => one[content].map((path) => [path, readAs[content]] as const))),
    ...used.flatMap(({ urls }) => urls.flatMap(({ host, target }) => [[host, asAddress | asName], [target, asUrl | asText]] as const)),
  ];
  return paths.flatMap(([path, contents]) => lastKeysOf(path).map((key): [string, number] => [key, contents]));
}

/** What the last key may be, dots within it: `answers[].srv.name` → `srv.name`, `name`. */
function lastKeysOf(path: string): string[] {
  const steps = path.replace(/\[\]$/, "").replace(/^.*\[\]\./, "").split(".");
  return steps.map((_, first) => steps.slice(first).join("."));
}
