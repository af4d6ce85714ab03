/** What kafkajs encodes a record with; it has no types of its own. */
declare module "kafkajs/src/protocol/recordBatch/record/v0/index.js" {
  const encode: unknown;
  export default encode;
}
