import { z } from "zod";

const port = z.int().min(1).max(65_535);
const options = z.strictObject({
  host: z.string().default("127.0.0.1").describe("Address to listen on."),
  pub: port.default(13_371).describe("Port of the publisher."),
  durable: z.boolean().default(true).describe("Survive a restart."),
  mode: z.enum(["fast", "safe"]).default("fast").describe("How to go about it."),
  tags: z.array(z.string()).default([]).describe("Tags."),
  api: z
    .strictObject({
      url: z.string().describe("Where."),
      key: z.string().describe("Secret."),
      ssl: z.boolean().describe("Check the certificate."),
    })
    .optional()
    .describe("The REST interface."),
  config: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .default({})
    .describe("Handed on."),
});

const fixture = (given) => ({ kind: "app", name: "fixture", create: () => options.parse(given ?? {}) });

export default Object.assign(fixture, {
  kind: "app",
  contract: 1,
  options,
});
