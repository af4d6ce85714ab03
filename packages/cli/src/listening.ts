import type { LoadedConfig } from "@threatbus/core/config";
import { printable } from "@threatbus/program";

type Values = Readonly<Record<string, unknown>>;

/** What is said of plugins that this program knows. */
const known: ReadonlyMap<string, (options: Values) => string> = new Map<string, (options: Values) => string>([
  ["inmem", () => "messages move within this process; a crash loses those under way"],
  [
    "zmq",
    ({ host, manage, pub, sub }) =>
      `apps join at ${String(host)}:${String(manage)} (messages out ${String(pub)}, in ${String(sub)}); a crash loses what waits for them`,
  ],
  ["misp", ({ zmq }) => `indicators from MISP at ${place(zmq) ?? "its feed"}; a crash loses those under way`],
  ["rabbitmq", (options) => `messages move through RabbitMQ at ${place(options) ?? "localhost"}, which keeps them over a crash`],
  ["kafka", () => "messages move through Kafka, which keeps them over a crash"],
]);

/** One line per plugin: where it is reached and what it promises on a crash. */
export function pluginLines({ plugins, values }: LoadedConfig): string[] {
  const width = Math.max(...plugins.map(({ name }) => name.length));
  return plugins.map(({ name, path, package: packageName, plugin }) => {
    const section = sectionAt(values, path);
    const checked = plugin.options?.["~standard"].validate(section);
    const options = checked === undefined || checked instanceof Promise || checked.issues !== undefined ? section : (checked.value as Values);
    const words = known.get(plugin.name)?.(options) ?? [packageName, place(options)].filter(Boolean).join(" at ");
    return `  ${printable(name).padEnd(width)}  ${printable(words)}`;
  });
}

function sectionAt(values: Values, path: readonly string[]): Values {
  const { package: _, instance: __, ...options } = (path.reduce<unknown>((at, step) => (Object(at) as Values)[step], values) as Values | null | undefined) ?? {};
  return options;
}

function place(options: unknown): string | undefined {
  if (typeof options !== "object" || options === null) return undefined;
  const { host, port } = options as Values;
  if (typeof host !== "string") return undefined;
  return typeof port === "number" ? `${host}:${port}` : host;
}
