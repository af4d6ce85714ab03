import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Certificates } from "./certificates.ts";

export const saslUser = "threatbus";
export const saslPassword = "for-tests-only";

export interface Listener {
  readonly name: string;
  readonly port: number;
  readonly protocol: "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT";
  /** Default: the listener's own address. */
  readonly advertise?: { readonly host: string; readonly port: number };
}

export interface NodeSettings {
  readonly folder: string;
  readonly listeners: readonly Listener[];
  /** Port of the controller, which nobody but the node itself talks to. */
  readonly controller: number;
  readonly certificates: Certificates | undefined;
  readonly mutual: boolean;
}

/** Lines of server.properties for a node that is broker and controller in one. */
export function properties({ folder, listeners, controller, certificates, mutual }: NodeSettings): string[] {
  const own = (port: number): string => `127.0.0.1:${port}`;
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@${own(controller)}`,
    "controller.listener.names=CONTROLLER",
    `listeners=${[...listeners.map(({ name, port }) => `${name}://${own(port)}`), `CONTROLLER://${own(controller)}`].join(",")}`,
    `advertised.listeners=${listeners.map(({ name, port, advertise }) => `${name}://${advertise === undefined ? own(port) : `${advertise.host}:${advertise.port}`}`).join(",")}`,
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,${listeners.map(({ name, protocol }) => `${name}:${protocol}`).join(",")}`,
    "inter.broker.listener.name=DIRECT",
    `log.dirs=${join(folder, "data")}`,
    "auto.create.topics.enable=false",
    "offsets.topic.replication.factor=1",
    "offsets.topic.num.partitions=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "transaction.state.log.num.partitions=1",
    "group.initial.rebalance.delay.ms=0",
    // With the defaults the controller refuses a broker that was killed for 9 s.
    "broker.session.timeout.ms=1500",
    "broker.heartbeat.interval.ms=500",
    // By default 128 MB, taken at the start and kept: half of all the memory.
    "log.cleaner.dedupe.buffer.size=4194304",
    ...(certificates === undefined ? [] : tls(folder, certificates, mutual)),
    ...(listeners.some(({ protocol }) => protocol === "SASL_PLAINTEXT") ? sasl() : []),
  ];
}

function tls(folder: string, { caFile, certFile, keyFile }: Certificates, mutual: boolean): string[] {
  // Kafka wants a server's certificate and its key in one file.
  const keyStore = join(folder, "tls", "server-both.pem");
  writeFileSync(keyStore, `${readFileSync(certFile, "utf8")}${readFileSync(keyFile, "utf8")}`);
  return [
    "ssl.keystore.type=PEM",
    `ssl.keystore.location=${keyStore}`,
    "ssl.truststore.type=PEM",
    `ssl.truststore.location=${caFile}`,
    `ssl.client.auth=${mutual ? "required" : "requested"}`,
  ];
}

function sasl(): string[] {
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${saslUser}="${saslPassword}";`;
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  return [
    "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    `listener.name.guarded.plain.sasl.jaas.config=${plain}`,
    `listener.name.guarded.scram-sha-256.sasl.jaas.config=${scram}`,
    `listener.name.guarded.scram-sha-512.sasl.jaas.config=${scram}`,
  ];
}
