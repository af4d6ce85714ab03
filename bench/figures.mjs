// Medians, ratios and the final table.

/** One line of the table. `bar` is what the ratio (or, without one, the value) is held against; `pass` is undefined where nothing is.
 * @typedef {{ figure: string, ours: string, beside?: string, ratio?: number, bar?: string, pass?: boolean, detail?: unknown }} Row */

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Least squares slope of `y` over `x`. */
export function slope(points) {
  const n = points.length;
  const mean = (key) => points.reduce((sum, point) => sum + point[key], 0) / n;
  const [x, y] = [mean("x"), mean("y")];
  const over = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  const under = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

export const atLeast = (bar, ratio) => ({ ratio, bar: `≥ ${bar}`, pass: ratio >= bar });
export const atMost = (bar, ratio) => ({ ratio, bar: `≤ ${bar}`, pass: ratio <= bar });

export const count = (number) => Math.round(number).toLocaleString("en-US");
export const perSecond = (number) => `${count(number)}/s`;
export const mebibytes = (bytes) => bytes / 2 ** 20;
export const short = (number) => (number >= 100 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2));

/** @param {Row[]} rows */
export function table(rows) {
  const head = ["figure", "ours", "beside", "ratio", "bar", ""];
  const cells = rows.map((row) => [
    row.figure,
    row.ours,
    row.beside ?? "",
    row.ratio === undefined ? "" : short(row.ratio),
    row.bar ?? "",
    row.pass === undefined ? "" : row.pass ? "ok" : "MISSED",
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i].length)));
  const line = (row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n");
}
