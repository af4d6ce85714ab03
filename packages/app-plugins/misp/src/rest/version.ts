import { RestFault } from "./fault.ts";
import type { RestClient } from "./client.ts";

/** What a MISP says of itself and of the key's user. */
export interface MispVersion {
  /** E.g. `2.5.1`. */
  readonly version: string;
  /** Whether the user may add sightings, one at a time or many. Old releases do not say. */
  readonly maySight: boolean | undefined;
  /** When the key ends, as MISP writes it. */
  readonly keyExpires: string | undefined;
}

/** `GET /servers/getVersion`: whether this is a MISP, and the key is right. @throws RestFault */
export async function askVersion(client: RestClient, signal: AbortSignal): Promise<MispVersion> {
  const { body, headers } = await client.get("/servers/getVersion", signal);
  const { version, perm_sighting, perm_sync } = Object(body) as Readonly<Record<"version" | "perm_sighting" | "perm_sync", unknown>>;
  if (typeof version !== "string" || !/^[\w.+-]{1,64}$/.test(version)) {
    throw new RestFault("wrong", `what answers at ${client.origin} is no MISP`, { hint: "is api.host the address of MISP's web interface?" });
  }
  const expires = headers["x-auth-key-expiration"];
  return {
    version,
    maySight: perm_sighting === undefined && perm_sync === undefined ? undefined : isTrue(perm_sighting) || isTrue(perm_sync),
    keyExpires: typeof expires === "string" && /^[\w:.+ -]{1,40}$/.test(expires) ? expires : undefined,
  };
}

/** MISP writes rights as booleans, numbers or their strings. */
function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === "1";
}
