import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installDebian, type Tell } from "./debian.ts";
import { environment } from "./environment.ts";
import { requireLinux } from "./unavailable.ts";

/** Names a `fever` that is there already. */
export const feverGiven = "THREATBUS_TEST_FEVER";

/** Installs fever (4 MB) where it is missing; its service is not wanted. Resolves with its program. Throws `Unavailable`. */
export async function requireFever(tell: Tell = () => undefined): Promise<string> {
  const given = environment(feverGiven);
  if (given !== undefined) return given;
  requireLinux();
  if (isInstalled()) return "fever";
  await installDebian({ title: "fever", packages: ["fever"], units: ["fever.service"] }, tell);
  if (!isInstalled()) throw new Error("fever was installed and is not on PATH");
  return "fever";
}

function isInstalled(): boolean {
  return (environment("PATH") ?? "").split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, "fever")));
}
