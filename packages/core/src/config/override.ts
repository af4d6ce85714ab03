import { isIPv6 } from "node:net";
import { isScalar, parseDocument } from "yaml";
import { ThreatbusError } from "../errors.ts";
import { configIssue, printPath, type ConfigIssue } from "./problems.ts";
import { isForbiddenName, isSection, type Settings } from "./settings.ts";
import { parseYaml } from "./yaml.ts";

/** A value that beats the file's. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** `--set …`, `-m`, `environment THREATBUS_…` */
  readonly origin: string;
  /** The text of a scalar, see `Origin.source`. */
  readonly source?: string;
  readonly commandLine?: true;
  /** Left out if there is a value at one of these paths. */
  readonly unless?: readonly (readonly string[])[];
}

/**
 * Reads `a.b.c=value`; names with dots are put in double quotes. The value is a YAML scalar, list or section.
 * @throws ThreatbusError `CONFIG_INVALID`
 */
export function setOverride(text: string): Override {
  const [, names = "", value] = /^((?:(?:"[^"]*"|[^."=]+)\.)*(?:"[^"]*"|[^."=]+))=(.*)$/s.exec(text) ?? [];
  const path = (names.match(/"[^"]*"|[^."]+/g) ?? []).map((name) => name.replaceAll('"', "").trim());
  if (value === undefined || path.length === 0 || path.length > 32 || path.includes("") || path.some(isForbiddenName)) {
    throw new ThreatbusError("CONFIG_INVALID", "--set takes NAME.NAME…=VALUE, e.g. --set plugins.apps.zmq.pub=14000");
  }
  return { path, ...readValue(value), origin: `--set ${printPath(path)}`, commandLine: true };
}

/**
 * `-m URL`: MISP's REST API, its certificate checked, and MISP's feed on the same host if none is configured.
 * @throws ThreatbusError `CONFIG_INVALID`
 */
export function mispShortcut(url: string): Override[] {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.username !== "" || parsed.password !== "") {
    throw new ThreatbusError(
      "CONFIG_INVALID",
      "-m takes the URL of a MISP, e.g. -m https://misp.example.org; its key goes into MISP_API_KEY",
    );
  }
  const misp = ["plugins", "apps", "misp"];
  const own = { origin: "-m", commandLine: true } as const;
  const ssl = [...misp, "api", "ssl"];
  const feed = [
    [...misp, "zmq"],
    [...misp, "kafka"],
  ];
  return [
    { ...own, path: [...misp, "api", "host"], value: url },
    { ...own, path: ssl, value: true, unless: [ssl] },
    { ...own, path: [...misp, "zmq", "host"], value: parsed.hostname.replace(/^\[|\]$/g, ""), unless: feed },
  ];
}

/**
 * `-z HOST[:PORT]`: where Zeek connects to. IPv6 addresses with a port are written `[::1]:47761`.
 * @throws ThreatbusError `CONFIG_INVALID`
 */
export function zeekShortcut(hostport: string): Override[] {
  const [, bracketed, name, digits] = /^(?:\[([^\]\s]+)\]|([^:\s[\]]+))(?::(\d{1,5}))?$/.exec(hostport) ?? [];
  const host = bracketed ?? name ?? (isIPv6(hostport) ? hostport : undefined);
  if (host === undefined) throw new ThreatbusError("CONFIG_INVALID", "-z takes HOST or HOST:PORT, e.g. -z 127.0.0.1:47761");
  const zeek = ["plugins", "apps", "zeek"];
  const own = { origin: "-z", commandLine: true } as const;
  const port = digits === undefined ? [] : [{ ...own, path: [...zeek, "port"], value: Number(digits) }];
  return [{ ...own, path: [...zeek, "host"], value: host }, ...port];
}

/** Applies an override, or tells why it cannot be. */
export function applyOverride(settings: Settings, override: Override): ConfigIssue | undefined {
  const { path, value, origin, source, commandLine, unless = [] } = override;
  if (unless.some((other) => settings.get(other) !== undefined && settings.get(other) !== null)) return undefined;
  const own = { where: origin, ...(source === undefined ? {} : { source }), ...(commandLine === undefined ? {} : { commandLine }) };
  const inTheWay = settings.set(path, structuredClone(value), own);
  if (inTheWay === undefined) return undefined;
  const message =
    inTheWay === path ? "this name cannot be used" : `${printPath(inTheWay)} (${settings.where(inTheWay)}) is no section to set this in`;
  return configIssue(origin, path, message);
}

/**
 * Reads the text of a value as a YAML scalar, or as a list or section in brackets. What is neither is taken as it stands, so that
 * a password may hold any character.
 */
export function readValue(text: string): { value: unknown; source?: string } {
  const trimmed = text.trim();
  if (trimmed === "") return { value: null };
  if (/^[[{]/.test(trimmed)) {
    const { value, issues } = parseYaml(trimmed, "value");
    return issues.length === 0 && (Array.isArray(value) || isSection(value)) ? { value } : { value: text };
  }
  if (trimmed.length > 4_096 || /[\r\n]/.test(trimmed)) return { value: text };
  const { contents, errors } = parseDocument(trimmed, { prettyErrors: false, logLevel: "error" });
  const whole = isScalar(contents) && contents.range?.[1] === trimmed.length && contents.range[0] === 0;
  if (errors.length > 0 || !whole) return { value: text };
  if (contents.type === "QUOTE_DOUBLE" || contents.type === "QUOTE_SINGLE") return { value: contents.value };
  return contents.source === trimmed ? { value: contents.value, source: trimmed } : { value: text };
}
