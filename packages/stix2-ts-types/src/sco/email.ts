/** E-mail: STIX 2.1 §6. */
import type { Dictionary, Identifier, ObservableProperties, Timestamp } from "../common.ts";

/** STIX 2.1 §6.5. */
export interface EmailAddress extends ObservableProperties<"email-addr"> {
  /** Without the display name: `john@example.com`. */
  readonly value: string;
  readonly display_name?: string;
  readonly belongs_to_ref?: Identifier<"user-account">;
}

/** Its body is one text, or a list of MIME parts. STIX 2.1 §6.6. */
export type EmailMessage = EmailMessageProperties & (SinglePart | Multipart);

interface EmailMessageProperties extends ObservableProperties<"email-message"> {
  /** When it was sent. */
  readonly date?: Timestamp;
  readonly content_type?: string;
  readonly from_ref?: Identifier<"email-addr">;
  readonly sender_ref?: Identifier<"email-addr">;
  readonly to_refs?: readonly Identifier<"email-addr">[];
  readonly cc_refs?: readonly Identifier<"email-addr">[];
  readonly bcc_refs?: readonly Identifier<"email-addr">[];
  readonly message_id?: string;
  readonly subject?: string;
  /** Newest first, as in the message. */
  readonly received_lines?: readonly string[];
  /** Those without a property of their own; a list for a header that repeats. */
  readonly additional_header_fields?: Dictionary<string | readonly string[]>;
  /** The whole message, as sent. */
  readonly raw_email_ref?: Identifier<"artifact">;
}
interface SinglePart {
  readonly is_multipart: false;
  readonly body?: string;
  readonly body_multipart?: never;
}
interface Multipart {
  readonly is_multipart: true;
  readonly body_multipart?: readonly EmailMimeComponent[];
  readonly body?: never;
}

/** Text in `body`, anything else behind `body_raw_ref`. STIX 2.1 §6.6.2. */
export type EmailMimeComponent = EmailMimeComponentProperties & (TextPart | RawPart);

interface EmailMimeComponentProperties {
  readonly body?: string;
  readonly body_raw_ref?: Identifier<"artifact" | "file">;
  readonly content_type?: string;
  readonly content_disposition?: string;
}
interface TextPart {
  readonly body: string;
}
interface RawPart {
  readonly body_raw_ref: Identifier<"artifact" | "file">;
}
