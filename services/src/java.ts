import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { installDebian, type Tell } from "./debian.ts";

const run = promisify(execFile);

/** What Kafka 4 needs. */
const oldest = 17;
/** Where distributions keep one folder per Java. */
const homes = "/usr/lib/jvm";

/** The command of a Java that is new enough; installed where there is none. Throws `Unavailable`. */
export async function java(tell: Tell): Promise<string> {
  const found = await newEnough();
  if (found !== undefined) return found;
  // Debian 12 and Ubuntu have the first, later Debians only the second.
  await installDebian({ title: `Java ${oldest} or later`, packages: [`openjdk-${oldest}-jre-headless`, "default-jre-headless"] }, tell);
  const installed = await newEnough();
  if (installed === undefined) throw new Error("a Java was installed and is not found");
  return installed;
}

async function newEnough(): Promise<string | undefined> {
  const home = process.env["JAVA_HOME"] ?? "";
  const folders = [...(home === "" ? [] : [home]), ...(existsSync(homes) ? readdirSync(homes).map((name) => join(homes, name)) : [])];
  const commands = folders.map((folder) => join(folder, "bin", "java")).filter((command) => existsSync(command));
  for (const command of ["java", ...commands]) {
    if ((await majorOf(command)) >= oldest) return command;
  }
  return undefined;
}

/** 17 for `openjdk version "17.0.15"`, 1 for Java 8 and before, 0 for what does not run. */
async function majorOf(command: string): Promise<number> {
  const { stderr } = await run(command, ["-version"]).catch(() => ({ stderr: "" }));
  return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
}
