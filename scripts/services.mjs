/** `npm run services`: real brokers for tests, benchmarks and trying things out. */
import { build, install, say } from "./bootstrap.mjs";

const help = `Brokers for tests: RabbitMQ and fever from the system's packages (installed by root only), Kafka from Maven Central (kept in ~/.cache/threatbus).
Tenzir from PyPI (kept there as well) is installed only: tests start nodes of their own.

  npm run services -- up        installs what is missing, starts one of each on 127.0.0.1 and keeps them until Ctrl-C
  npm run services -- install   installs what is missing

\`npm test\` does all this by itself. With brokers that are there already, tell it where:

  export THREATBUS_TEST_RABBITMQ=amqp://user:password@host:port
  export THREATBUS_TEST_KAFKA=host:port[,host:port]
  export THREATBUS_TEST_TENZIR=/folder/with/tenzir/and/tenzir-node
`;

const commands = { up, install: installOnly };
const [name = "help", ...rest] = process.argv.slice(2);
const command = rest.length === 0 && Object.hasOwn(commands, name) ? commands[name] : undefined;

if (command === undefined) {
  process.stdout.write(help);
  process.exitCode = ["help", "--help", "-h"].includes(name) ? 0 : 2;
} else {
  install();
  build();
  await command(await import("../services/dist/index.js"));
}

async function up({ shareBrokers }) {
  const asked = signalled();
  const brokers = await Promise.race([shareBrokers(say), asked]);
  // Asked to end before they were up: they end with this process.
  if (brokers === undefined) return process.exit();
  report(brokers.missing);
  for (const [variable, address] of Object.entries(brokers.variables)) {
    if (!variable.includes("_WITHOUT_")) process.stdout.write(`export ${variable}=${address}\n`);
  }
  say("Ctrl-C ends them");
  await asked;
  await brokers.stop();
  process.exit();
}

async function installOnly({ installBrokers }) {
  report(await installBrokers(say));
}

function report(missing) {
  for (const sentence of missing) process.stderr.write(`threatbus: ${sentence}\n`);
  if (missing.length > 0) process.exitCode = 1;
}

/** Resolves when somebody wants this to end, and keeps it from ending before. npm that is told to end tells its script nothing. */
function signalled() {
  const { ppid: parent } = process;
  const underNpm = process.env.npm_lifecycle_event === "services";
  return new Promise((resolve) => {
    const watch = setInterval(() => underNpm && process.ppid !== parent && done(), 500);
    const done = () => {
      clearInterval(watch);
      resolve();
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, done);
  });
}
