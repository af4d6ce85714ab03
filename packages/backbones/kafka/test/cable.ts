import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { freePort } from "@threatbus/testkit";
import { onTestFinished } from "vitest";

/** A way to a broker whose connections can be pulled like a cable: nothing more comes through, and nobody is told. New ones work. */
export interface Cable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly accepted: number;
  pull(): void;
}

export async function cable(target: { readonly host: string; readonly port: number }): Promise<Cable> {
  const open = new Set<readonly [Socket, Socket]>();
  const host = "127.0.0.1";
  let accepted = 0;
  const server = createServer((near) => {
    accepted++;
    const far = connect(target);
    open.add([near, far]);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  const port = await freePort();
  server.listen(port, host);
  await once(server, "listening");
  onTestFinished(() => {
    for (const pair of open) for (const socket of pair) socket.destroy();
    server.close();
  });
  return {
    host,
    port,
    get accepted() {
      return accepted;
    },
    pull() {
      for (const [near, far] of open) {
        for (const socket of [near, far]) socket.unpipe().removeAllListeners("data").pause();
      }
    },
  };
}
