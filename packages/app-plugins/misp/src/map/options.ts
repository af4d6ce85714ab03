import { z } from "zod";

/** How attributes become indicators. */
export const mappingOptions = {
  profile: z
    .enum(["point", "misp-stix"])
    .default("point")
    .describe("`point`: observables that stand for themselves, as Zeek and VAST want them. `misp-stix`: the patterns of MISP's own converter, which keep direction and port."),
  compound: z
    .enum(["and", "split"])
    .default("and")
    .describe("Attributes that name two observables, as `domain|ip` does: one indicator for both together, or one for each."),
  rule_topics: z.boolean().default(false).describe("Publish Sigma and YARA rules on `sigma/rule` and `yara/rule` too, beside the indicators that carry them."),
  local_tags: z.boolean().default(false).describe("Copy tags that are local to this MISP, or not to be exported, into labels."),
};

/** A profile's name. */
export type Profile = "point" | "misp-stix";

export interface MappingOptions {
  readonly profile: Profile;
  readonly compound: "and" | "split";
  readonly rule_topics: boolean;
  readonly local_tags: boolean;
  /** Where people open this MISP, without a slash at the end: indicators then point to their event there. */
  readonly base?: string | undefined;
}
