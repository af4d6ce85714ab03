/**
 * - `away`: no answer, or one that says it cannot now: worth another try.
 * - `limited`: the rate limit of the key's role is reached: worth another try after `retryAfter`.
 * - `denied`: who or what asks is not let in: the key, its rights, a certificate.
 * - `wrong`: what answers is no MISP, or not at this URL.
 * - `refused`: MISP does not do this.
 * - `closed`: this client is closed, or the asker has given up.
 */
export type RestFaultKind = "away" | "limited" | "denied" | "wrong" | "refused" | "closed";

interface FaultDetails {
  readonly hint?: string | undefined;
  readonly status?: number | undefined;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/** Why MISP's REST API did not do what it was asked, in words for an operator. Holds no key. */
export class RestFault extends Error {
  readonly kind: RestFaultKind;
  readonly hint: string | undefined;
  /** Of HTTP, if there was an answer. */
  readonly status: number | undefined;
  /** Milliseconds to wait before the next try, if MISP says so. */
  readonly retryAfter: number | undefined;

  constructor(kind: RestFaultKind, text: string, { hint, status, retryAfter, cause }: FaultDetails = {}) {
    super(text, cause === undefined ? undefined : { cause });
    this.name = "RestFault";
    this.kind = kind;
    this.hint = hint;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same question may be answered later. */
  get passes(): boolean {
    return this.kind === "away" || this.kind === "limited";
  }
}

const certificateHint = "set api.ca_file to the authority of MISP's certificate";
const protocolHint = "does MISP speak https there? api.host says which: http:// or https://";

/** What a network and OpenSSL say, by code. */
const network: ReadonlyMap<string, readonly [RestFaultKind, hint: string]> = new Map([
  ["SELF_SIGNED_CERT_IN_CHAIN", ["denied", certificateHint]],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", ["denied", certificateHint]],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", ["denied", certificateHint]],
  ["UNABLE_TO_GET_ISSUER_CERT", ["denied", certificateHint]],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", ["denied", certificateHint]],
  ["CERT_HAS_EXPIRED", ["denied", "MISP's certificate has expired"]],
  ["CERT_NOT_YET_VALID", ["denied", "MISP's certificate is not valid yet: is this machine's clock right?"]],
  ["ERR_TLS_CERT_ALTNAME_INVALID", ["denied", "MISP's certificate is for another host: api.host must name the one it is for"]],
  ["ERR_SSL_WRONG_VERSION_NUMBER", ["wrong", protocolHint]],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", ["wrong", protocolHint]],
  ["EPROTO", ["wrong", protocolHint]],
  ["HPE_INVALID_CONSTANT", ["wrong", "what listens there speaks no HTTP"]],
  ["ENOTFOUND", ["away", "is the host in api.host spelled right?"]],
  ["ECONNREFUSED", ["away", "nothing listens there: check host and port in api.host"]],
]);

/** Says what an error of the network means. @param base the URL that was asked */
export function networkFault(thrown: unknown, base: string): RestFault {
  if (thrown instanceof RestFault) return thrown;
  const { code, message } = Object(thrown) as { readonly code?: unknown; readonly message?: unknown };
  const [kind, hint] = network.get(String(code)) ?? (String(code).startsWith("HPE_") ? network.get("HPE_INVALID_CONSTANT") : undefined) ?? ["away" as const, undefined];
  return new RestFault(kind, `no answer from ${base}: ${text(message) || text(code) || "the connection failed"}`, { hint, cause: thrown });
}

function text(value: unknown): string {
  return typeof value === "string" ? value.replaceAll(/\s+/g, " ").slice(0, 200) : "";
}
