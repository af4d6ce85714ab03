/** What a broker leaves on the machine: processes, its folder, ports that listen. */
import { existsSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { marker, processesOf } from "../src/processes.ts";

/** The folder of the broker that a process belongs to. */
export function folderOf(pid: number): string {
  const setting = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").find((each) => each.startsWith(`${marker}=`));
  return setting?.slice(marker.length + 1) ?? "";
}

export interface Traces {
  readonly processes: number;
  readonly folder: boolean;
  /** Addresses, as the kernel writes them, that listen on one of the ports. */
  readonly listening: readonly string[];
}

export function tracesOf(folder: string, ports: readonly number[]): Traces {
  return { processes: processesOf(folder).length, folder: existsSync(folder), listening: ports.flatMap(listenersOn) };
}

export const none: Traces = { processes: 0, folder: false, listening: [] };

/** 127.0.0.1, the same written as IPv6, and ::1. */
export const loopbacks: readonly string[] = ["0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"];

/** Where the processes of a broker listen. */
export function listenersOf(folder: string): { readonly address: string; readonly port: number }[] {
  const sockets = new Set(processesOf(folder).flatMap(socketsOf));
  return allListeners().filter(({ inode }) => sockets.has(`socket:[${inode}]`)).map(({ address, port }) => ({ address, port }));
}

function listenersOn(port: number): string[] {
  return allListeners().filter((each) => each.port === port).map(({ address }) => address);
}

function allListeners(): { address: string; port: number; inode: string }[] {
  return ["tcp", "tcp6"].flatMap((table) => readFileSync(`/proc/net/${table}`, "utf8").trim().split("\n").slice(1)).flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    return state === "0A" ? [{ address, port: parseInt(port, 16), inode }] : [];
  });
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`);
    } catch {
      // Closed meanwhile.
      return "";
    }
  });
}
