/** Tenzir 6 only: earlier versions speak another language, and none of them could be tried. */
import { EngineError } from "../../engine.ts";
import { printable, type Client } from "./client.ts";
import { spellingFor, type Spelling } from "./tql.ts";

export const supported = 6;

/** How the client spells its operators. Rejects if it is missing or of another version. */
export async function checkClient(client: Client, binary: string, signal: AbortSignal): Promise<Spelling> {
  let lines: readonly string[];
  try {
    lines = await client.ask("version\nselect version, major, features\nwrite_ndjson", { signal, node: false });
  } catch (thrown) {
    if (signal.aborted || (thrown instanceof EngineError && thrown.permanent)) throw thrown;
    throw unfit(`${JSON.stringify(binary)} does not tell its version as Tenzir ${supported} does`, thrown);
  }
  const { version, major, features } = objectIn(lines[0]);
  if (major !== supported) throw unfit(`${JSON.stringify(binary)} is Tenzir ${printable(String(version))}`);
  return spellingFor(Array.isArray(features) ? features : []);
}

/** Rejects if the node does not answer, and for good if it is of another version. */
export async function checkNode(client: Client, endpoint: string, signal: AbortSignal): Promise<string> {
  const [line] = await client.ask('api "/ping"\nwrite_ndjson', { signal });
  const version = String(objectIn(line)["version"]);
  if (!version.startsWith(`${supported}.`)) throw unfit(`the node at ${endpoint} is Tenzir ${printable(version)}`);
  return version;
}

function unfit(found: string, cause?: unknown): EngineError {
  return new EngineError(`${found}; this engine needs Tenzir ${supported}`, { permanent: true, hint: `install Tenzir ${supported}, or take the engine vast for VAST and the engine logs for none of them`, cause });
}

function objectIn(line: string | undefined): Record<string, unknown> {
  try {
    return (JSON.parse(line ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
