/** Control, format (bidirectional overrides among them), private and unassigned characters, and the two that end lines in some readers. */
const unprintable = /[\p{C}\u2028\u2029]/gu;

/** Text from outside, fit for a terminal: what could steer it or deceive the eye is written as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(unprintable, escape);
}

/** As {@link printable}, line breaks kept: for our own texts that quote others. */
export function printableLines(text: string): string {
  return text.replace(unprintable, (character) => (character === "\n" ? character : escape(character)));
}

/** JSON without characters that could steer a terminal; still the same JSON. */
export function printableJson(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

export function escapeJson(json: string): string {
  return json.replace(unprintable, (character) => [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""));
}

function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
