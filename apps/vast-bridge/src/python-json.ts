/**
 * JSON as Python's `json.dumps` writes it, `", "` and `": "` between, all beyond ASCII escaped: what programs behind the reference's sink have always read.
 * Nothing in it steers a terminal.
 */
export function pythonJson(value: unknown): string {
  const spaced = JSON.stringify(value, null, 1).replace(/,\n */g, ", ").replace(/\n */g, "");
  return spaced.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
