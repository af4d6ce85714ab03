import { freePort } from "@threatbus/testkit";
import { onTestFinished } from "vitest";
import { Reply, Request } from "zeromq";
import type { Ports } from "./stand.ts";

/**
 * A management port that passes every request to the bus and puts other ports into its grants, as a gateway in front of a bus does:
 * whoever joins here talks to the proxies behind those ports. Returns the port.
 */
export async function frontDesk(bus: Ports, instead: Partial<Pick<Ports, "pub" | "sub">>): Promise<number> {
  const manage = await freePort();
  const asked = new Reply({ linger: 0 });
  const asking = new Request({ linger: 0 });
  onTestFinished(() => [asked, asking].forEach((socket) => socket.close()));
  await asked.bind(`tcp://127.0.0.1:${manage}`);
  asking.connect(`tcp://127.0.0.1:${bus.manage}`);
  void pass();
  return manage;

  async function pass(): Promise<void> {
    try {
      for await (const request of asked) {
        await asking.send(request);
        const [reply] = await asking.receive();
        await asked.send(JSON.stringify(changed(JSON.parse(String(reply)) as Record<string, unknown>)));
      }
    } catch {
      // Closed with the test.
    }
  }

  function changed(reply: Record<string, unknown>): Record<string, unknown> {
    if (reply["pub_port"] === undefined) return reply;
    return { ...reply, pub_port: instead.pub ?? bus.pub, sub_port: instead.sub ?? bus.sub };
  }
}
