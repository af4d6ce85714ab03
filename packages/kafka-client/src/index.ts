/**
 * A Kafka client for plugins: a producer and a consumer that go on whatever happens to a network or a broker, and librdkafka's names for
 * their settings. Loads no Kafka library; `@threatbus/kafka-client/kafkajs` drives kafkajs.
 */
export { Consumer } from "./consumer.ts";
export type { ConsumerOptions } from "./consumer.ts";
export { Producer } from "./producer.ts";
export type { ProducerOptions } from "./producer.ts";
export { KafkaFault, faultOf } from "./faults.ts";
export type { FaultKind } from "./faults.ts";
export { readProperties } from "./properties.ts";
export type { ClientProperties, PemSource, PropertyProblem, PropertyValue, TlsProperties } from "./properties.ts";
export { readTls } from "./tls.ts";
export type {
  ConnectionSettings, Driver, DriverAdmin, DriverBatch, DriverConsumer, DriverConsumerEvents, DriverLog, DriverProducer, GroupSettings, IncomingRecord, NewTopic,
  OutgoingRecord, Partition, Position, SaslSettings, TlsSettings,
} from "./contract.ts";
