// Child processes: started, listened to, weighed, and never left behind.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

/**
 * Starts a program. `line(test)` resolves with the first line of output, past or to come, that passes; it rejects when the program ends
 * without one. `ended` resolves with the exit code and the whole output.
 */
export function launch(command, args, { ipc = false, env = process.env, cwd } = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe", ...(ipc ? ["ipc"] : [])], env, cwd });
  running.add(child);
  const lines = [];
  let errors = "";
  const waiting = new Set();
  createInterface(child.stdout).on("line", (line) => {
    lines.push(line);
    for (const waiter of waiting) waiter.see(line);
  });
  child.stderr.on("data", (data) => (errors = (errors + data).slice(-4000)));
  const failed = () => new Error(`${command} ended: ${errors.trim() || lines.slice(-3).join(" ") || "no output"}`);
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      running.delete(child);
      for (const waiter of waiting) waiter.fail(failed());
      resolve({ code, lines, errors });
    });
  });
  ended.catch(() => running.delete(child));

  return {
    child,
    ended,
    lines,
    line(test) {
      return new Promise((resolve, reject) => {
        const waiter = {
          see(line) {
            if (test(line) !== true) return;
            waiting.delete(waiter);
            resolve(line);
          },
          fail: reject,
        };
        waiting.add(waiter);
        ended.catch(reject);
        for (const line of [...lines]) waiter.see(line);
        if (child.exitCode !== null) reject(failed());
      });
    },
    async stop(patience = 5_000) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patience);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a program to its end. Rejects if it fails or takes longer than `timeout` ms. */
export async function complete(command, args, timeout = 120_000) {
  const program = launch(command, args);
  const timer = setTimeout(() => program.child.kill("SIGKILL"), timeout);
  const { code, lines, errors } = await program.ended;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${command} ${code === null ? "took too long" : `exited with ${code}`}: ${errors.trim()}`);
  return lines;
}

const ticksPerSecond = 100;

/** Seconds of processor time, all threads. Linux. */
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory in bytes. Linux. */
export function memoryOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;
}

/** Ports of 127.0.0.1 that nobody listens on now. */
export async function freePorts(wanted) {
  const servers = await Promise.all(
    Array.from({ length: wanted }, () => new Promise((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
    })),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
