const slash = 0x2f, colon = 0x3a, question = 0x3f, sharp = 0x23, at = 0x40;

/** Where the host of a URL stands in bytes, and what is asked for there. */
export class UrlHost {
  from = 0;
  /** Where the host ends, its port left out. */
  to = 0;
  /** Where path and query begin. */
  target = 0;

  /** False if there is no host. The scheme may be missing; what else is no URL is not looked into. */
  find(bytes: Uint8Array, from: number, to: number): boolean {
    let start = from;
    while (start < to && bytes[start] !== slash) start++;
    start = bytes[start - 1] === colon && bytes[start + 1] === slash ? start + 2 : from;
    let end = start;
    this.from = start;
    for (; end < to; end++) {
      const byte = bytes[end];
      if (byte === slash || byte === question || byte === sharp) break;
      if (byte === at) this.from = end + 1;
    }
    this.to = this.target = end;
    for (let here = end - 1; here > this.from; here--) {
      const byte = bytes[here] as number;
      if (byte === colon) this.to = here;
      if (byte < 0x30 || byte > 0x39) break;
    }
    return this.to > this.from;
  }
}
