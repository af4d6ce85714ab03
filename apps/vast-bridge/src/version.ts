import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };

/** Of this program. */
export const version: string = manifest.version;
export const programName = "vast-threatbus";
