import { z } from "zod";

const text = z.string().min(1);

const entry = z.strictObject({
  orgs: z
    .array(z.union([text, z.number().int()]))
    .default([])
    .describe("Creator organisations: id (number or string), UUID or name. Empty: all."),
  types: z.array(text).default([]).describe("MISP attribute types, e.g. `ip-dst`. Empty: all."),
  tags: z.array(text).default([]).describe("Tags of the attribute or its event; `tlp:` tags compare without regard to case. Empty: all."),
  categories: z.array(text).default([]).describe("MISP categories, e.g. `Network activity`. Empty: all."),
});

const excluding = entry.refine((lists) => Object.values(lists).some((list) => list.length > 0), { error: "an entry that names nothing would keep everything back: name orgs, types, tags or categories" });

/** Which attributes go on the bus. */
export const filterOptions = {
  filter: z.array(entry).default([]).describe("An attribute passes if it passes any entry. Empty: all pass."),
  exclude: z.array(excluding).default([]).describe("An attribute that passes any of these entries is kept back, whatever `filter` says."),
  published_only: z.boolean().default(false).describe("Wait until an event is published, and withdraw it when it is unpublished."),
};

export type FilterEntry = z.output<typeof entry>;

export interface FilterOptions {
  readonly filter: readonly FilterEntry[];
  readonly exclude: readonly FilterEntry[];
}
