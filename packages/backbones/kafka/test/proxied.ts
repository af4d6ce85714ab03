import { kafka as startBroker, type Kafka, type KafkaOptions } from "@threatbus/services";
import { chaosProxy, freePort, type ChaosProxy } from "@threatbus/testkit";

export interface Proxied {
  readonly broker: Kafka;
  /** Clients that come through it stay with it. */
  readonly proxy: ChaosProxy;
  /** Where the proxy leads new connections. */
  readonly target: { readonly host: string; port: number };
  /** Through the proxy. */
  readonly bootstrap: string;
  /** Whether the broker's process is there. */
  runs(): boolean;
  stop(): Promise<void>;
}

/** A broker and a proxy before it; whoever goes to `broker.bootstrap` passes it by. */
export async function proxied(options: KafkaOptions = {}): Promise<Proxied> {
  const target = { host: "127.0.0.1", port: await freePort() };
  const proxy = await chaosProxy({ target });
  const broker = await startBroker({ ...options, advertise: { host: proxy.host, port: proxy.port, listen: target.port } });
  return {
    broker,
    proxy,
    target,
    bootstrap: `${proxy.host}:${proxy.port}`,
    runs() {
      try {
        return broker.pid > 0;
      } catch {
        return false;
      }
    },
    async stop() {
      await proxy.stop();
      await broker.stop();
    },
  };
}
