/**
 * The keys of lookup tables: one form per value, made of an observable here and of an event's field by the node. What the node finds this way may
 * be too much (a key says nothing of kinds, ports or schemes), never too little: the matcher has the last word.
 */
import { domainToUnicode } from "node:url";
import { parseAddress, parseBlock } from "../../address.ts";
import type { FieldContent } from "../../fields.ts";
import type { Observable } from "../../observable.ts";
import { urlParts } from "../../observable.ts";
import { quote } from "./tql.ts";

/** One table holds addresses and blocks, one all that is text. */
export type TableKind = "ip" | "text";

export interface Key {
  readonly table: TableKind;
  /** As a line for the node: `{"ip": …}`, `{"net": …}` or `{"text": …}`. */
  readonly line: string;
}

/** Keys of an observable. None for a value that no event can hold: an address that is none, text that is no Unicode. */
export function keysOf(observable: Observable): Key[] {
  const { kind, value } = observable;
  if (kind === "ip") return parseAddress(value) === undefined ? [] : [{ table: "ip", line: JSON.stringify({ ip: value }) }];
  if (kind === "cidr") return parseBlock(value) === undefined ? [] : [{ table: "ip", line: JSON.stringify({ net: value }) }];
  return textsOf(observable).filter((text) => !/\p{Surrogate}/u.test(text)).map((text) => ({ table: "text", line: JSON.stringify({ text }) }));
}

/** Makes `key` of such a line; null where it is none of its type. */
export const keyFromLine: Readonly<Record<TableKind, string>> = {
  ip: "if net? != null { key = subnet(net) } else { key = ip(ip?) }",
  text: "key = text?",
};

function textsOf({ kind, value }: Observable): string[] {
  if (kind === "domain") return spellingsOf(value);
  if (kind !== "url") return [value];
  const parts = urlParts(value);
  if (parts === undefined) return [];
  return spellingsOf(parts.host).map((host) => `${host.includes(":") ? `[${host}]` : host}${parts.target}`);
}

/** Tools write international names in their own script, or in punycode. */
function spellingsOf(host: string): string[] {
  const unicode = /(?:^|\.)xn--/.test(host) ? domainToUnicode(host) : "";
  return unicode === "" || unicode === host ? [host] : [host, unicode];
}

/** Where a field's value is looked up. */
export interface Lookup {
  readonly table: TableKind;
  /** TQL of type `ip` or `string`, null where there is nothing to look up. */
  readonly key: string;
}

export interface Lookups {
  readonly lookups: readonly Lookup[];
  /** TQL of type `bool`: the value holds more than is looked up, so that the matcher has to see the event. */
  readonly beyond?: string;
}

/** Labels that are taken off a name for the search in the names below a domain. */
const labels = [1, 2, 3, 4, 5];

/** @param value TQL of a field's value, of whatever type */
export function lookupsOf(content: FieldContent, value: string, subdomains: boolean): Lookups {
  const text = `string(${value})`;
  switch (content) {
    case "ip":
      return { lookups: [{ table: "ip", key: `ip(${value})` }] };
    case "host": {
      const name = `${text}.trim_end(".").to_lower()`;
      const parents = subdomains ? labels.map((n) => replaced(name, `^([^.]+\\.){${n}}`, "")) : [];
      const lookups: Lookup[] = [{ table: "ip", key: `ip(${text}.trim("[]"))` }, ...[name, ...parents].map((key): Lookup => ({ table: "text", key }))];
      return subdomains ? { lookups, beyond: `${name}.match_regex(${quote(`^([^.]+\\.){${labels.length + 2}}`)})` } : { lookups };
    }
    case "url":
      return { lookups: [{ table: "text", key: urlKey(text) }] };
    case "email": {
      const atom = '[^\\s@<>"(),:;\\\\\\[\\]]+';
      return { lookups: [{ table: "text", key: `${replaced(text, `(?s)^.*?(${atom}@${atom}).*$`, "\\1")}.to_lower()` }], beyond: `${text}.match_regex(${quote("(?s)@.*@")})` };
    }
    case "certificate":
      return { lookups: [{ table: "text", key: `${text}.replace(":", "").to_lower()` }] };
    default:
      return { lookups: [{ table: "text", key: `${text}.to_lower()` }] };
  }
}

/** A URL that an event holds in pieces; `target` is what the request names. */
export function splitUrlLookups(host: string, target: string): Lookups {
  return { lookups: [{ table: "text", key: urlKey(`(string(${host}) + string(${target}))`) }, { table: "text", key: urlKey(`string(${target})`) }] };
}

/** No scheme, user, port or fragment; the host in lower case. */
function urlKey(text: string): string {
  const bare = replaced(replaced(replaced(text, "#.*$", ""), "^[A-Za-z][A-Za-z0-9+.-]*://", ""), "^[^/?@]*@", "");
  const host = `${replaced(replaced(bare, "[/?].*$", ""), "([^:]):[0-9]+$", "\\1")}.to_lower()`;
  return `${host} + ${replaced(replaced(bare, "^[^/?]*", ""), "^\\?", "/?")}`;
}

function replaced(text: string, pattern: string, by: string): string {
  return `${text}.replace_regex(${quote(pattern)}, ${quote(by)})`;
}
