import type { LoadedConfig } from "@threatbus/core/config";
import { pluginLines } from "./listening.ts";
import { printable } from "@threatbus/program";

/** A configuration that is in order, for people. */
export function describeConfig(config: LoadedConfig): string {
  const { logging, metrics, bus, plugins, origin } = config;
  const outputs = [
    ...(logging.console ? [`console from ${logging.console_verbosity}`] : []),
    ...(logging.file ? [`${logging.filename} from ${logging.file_verbosity}`] : []),
  ];
  const lines = [
    `${origin}: no problems`,
    "would load:",
    ...pluginLines(config).map(printable),
    "from:",
    ...plugins.map(({ name, kind, package: packageName, file }) => `  ${name}  ${kind} ${packageName} (${file})`),
    `queues:   ${bus.queue.maxItems ?? "any number of"} messages or ${bus.queue.maxBytes ?? "any number of"} bytes per subscription, then ${bus.queue.overflow ?? "drop_oldest"}`,
    `logging:  ${outputs.length === 0 ? "off" : outputs.join(", ")}`,
    `metrics:  ${metrics === undefined ? "off" : `http://${metrics.host}:${metrics.port}/metrics`}`,
    `shutdown: at most ${bus.drainTimeout / 1_000} s to deliver what is waiting`,
  ];
  return `${lines.map(printable).join("\n")}\n`;
}
