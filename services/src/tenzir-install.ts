import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Tell } from "./debian.ts";
import { environment } from "./environment.ts";
import { requirePythonProgram } from "./python.ts";
import { Unavailable } from "./unavailable.ts";

/** On PyPI only 6.x have the programs inside. */
export const tenzirVersion = "6.20.0";

/** Names the folder of a `tenzir` and a `tenzir-node` that are there already. */
export const tenzirGiven = "THREATBUS_TEST_TENZIR";

/** Installs Tenzir's programs (175 MB; 590 MB on disk), once per user. Resolves with their folder. Throws `Unavailable`. */
export async function requireTenzir(tell: Tell = () => undefined): Promise<string> {
  const given = environment(tenzirGiven);
  if (given === undefined) {
    const title = `Tenzir ${tenzirVersion}`;
    return requirePythonProgram({ title, folder: `tenzir-${tenzirVersion}`, packages: [`tenzir==${tenzirVersion}`], proof: ["tenzir", "version"] }, tell);
  }
  for (const program of ["tenzir", "tenzir-node"]) {
    if (!existsSync(join(given, program))) throw new Unavailable(`${tenzirGiven} names ${given}, which has no ${program}`);
  }
  return given;
}
