import { isIPv6, SocketAddress } from "node:net";

/** One spelling for values that have several, so that equal ones are equal as text. */
export function canonical(path: string, value: string): string {
  if (path === "ipv6-addr:value") {
    const [address = "", ...length] = value.split("/");
    if (!isIPv6(address) || address.includes("%")) return value;
    return [new SocketAddress({ address, family: "ipv6" }).address, ...length].join("/");
  }
  if (path === "domain-name:value") return value.toLowerCase().replace(/\.$/, "");
  if (path === "email-addr:value" || path === "mac-addr:value") return value.toLowerCase();
  if (path.includes(":hashes.")) return value.toLowerCase().replaceAll(":", "");
  return value;
}
