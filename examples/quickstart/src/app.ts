/**
 * The matching app: `vast-threatbus` of @threatbus/vast-bridge, as installed, in a process that ends when its parent does.
 * `node dist/app.js --help` is its help.
 */
const end = (): void => void process.kill(process.pid, "SIGTERM");
process.once("disconnect", end);
// The parent may have gone before this line.
if (process.connected === false) end();
await import(new URL("bin/vast-threatbus.js", import.meta.resolve("@threatbus/vast-bridge/package.json")).href);
if (process.connected) process.disconnect();

export {};
