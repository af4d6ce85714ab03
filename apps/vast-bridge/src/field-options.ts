/** Options of engines that look into fields. */
import { z } from "zod";
import { presetNames } from "./fields.ts";

const step = "[A-Za-z0-9_@-]{1,64}(?:\\[\\])?";
const paths = z
  .array(z.string().max(512).regex(new RegExp(`^${step}(?:\\.${step}){0,15}$`), { error: "is no path of a field, e.g. client.ip or dns.answers[].rdata" }))
  .max(1_000)
  .default([]);

const fields = z
  .strictObject({
    ip: paths.describe("Fields that hold an address."),
    host: paths.describe("Fields that hold a name or an address."),
    url: paths.describe("Fields that hold a URL."),
    email: paths.describe("Fields with e-mail addresses in their text."),
    file_hash: paths.describe("Fields that hold a MD5, SHA-1, SHA-256 or SHA-512 of a file."),
    certificate: paths.describe("Fields that hold the fingerprint of a certificate."),
    ja3: paths.describe("Fields that hold a JA3 fingerprint."),
    ja3s: paths.describe("Fields that hold a JA3S fingerprint."),
    ja4: paths.describe("Fields that hold a JA4 fingerprint."),
  })
  .prefault({});

/** Pieces of the options of every such engine. */
export const fieldOptions = {
  presets: z.array(z.enum(presetNames)).default([...presetNames]).describe("Tools whose fields are known: `suricata`, `zeek`, `ocsf`."),
  fields: fields.describe("Fields of other tools, searched beside those of the presets: `src.addr`, `answers[]` for each of a list."),
  subdomains: z.boolean().default(false).describe("A domain is also found in the names below it."),
};

export interface FieldOptions {
  readonly presets: z.output<typeof fieldOptions.presets>;
  readonly fields: z.output<typeof fieldOptions.fields>;
  readonly subdomains: z.output<typeof fieldOptions.subdomains>;
}
