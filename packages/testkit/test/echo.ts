import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Echo {
  readonly host: string;
  readonly port: number;
  readonly sockets: Set<Socket>;
  stop(): Promise<void>;
}

/** Sends back what it gets; ends when its client ends. */
export async function echoServer(): Promise<Echo> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    host: "127.0.0.1",
    port,
    sockets,
    async stop() {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Client {
  readonly socket: Socket;
  readonly received: Buffer[];
  bytes(): Buffer;
  /** The code of the error the connection ended with, `"end"` for an orderly end, undefined while open. */
  outcome(): string | undefined;
}

export async function client(port: number): Promise<Client> {
  const socket = connect({ port, host: "127.0.0.1" });
  const received: Buffer[] = [];
  let outcome: string | undefined;
  socket.on("data", (chunk) => received.push(chunk));
  socket.on("error", (error: NodeJS.ErrnoException) => (outcome = error.code));
  socket.on("close", () => (outcome ??= "end"));
  await once(socket, "connect");
  return { socket, received, bytes: () => Buffer.concat(received), outcome: () => outcome };
}
