/** Something that is not ZMTP came, or nothing comes any more. */
export class ZmtpFault extends Error {}

/** The peer speaks ZMTP, and does not let us in. */
export class ZmtpRefusal extends ZmtpFault {}
