import { z } from "zod";

const options = z.strictObject({
  host: z.string().describe("Where the broker is."),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .meta({ description: "Its port.", examples: [5_672] }),
  password: z.string().min(8).describe("Secret."),
  queue: z
    .strictObject({ durable: z.boolean().default(true).describe("Survive a restart.") })
    .prefault({})
    .describe("The queue."),
});

const needy = (given) => ({ kind: "backbone", name: "needy", create: () => options.parse(given) });

export default Object.assign(needy, {
  kind: "backbone",
  contract: 1,
  options,
});
