/** X.509 certificates: STIX 2.1 §6.18. */
import type { Hashes, ObservableProperties, Timestamp } from "../common.ts";

/** At least one property besides type and id. STIX 2.1 §6.18. */
export interface X509Certificate extends ObservableProperties<"x509-certificate"> {
  readonly is_self_signed?: boolean;
  readonly hashes?: Hashes;
  readonly version?: string;
  readonly serial_number?: string;
  readonly signature_algorithm?: string;
  readonly issuer?: string;
  readonly validity_not_before?: Timestamp;
  readonly validity_not_after?: Timestamp;
  readonly subject?: string;
  readonly subject_public_key_algorithm?: string;
  readonly subject_public_key_modulus?: string;
  readonly subject_public_key_exponent?: number;
  readonly x509_v3_extensions?: X509V3Extensions;
}

/** RFC 5280 extensions as text, at least one of them. STIX 2.1 §6.18.2. */
export interface X509V3Extensions {
  readonly basic_constraints?: string;
  readonly name_constraints?: string;
  readonly policy_constraints?: string;
  readonly key_usage?: string;
  readonly extended_key_usage?: string;
  readonly subject_key_identifier?: string;
  readonly authority_key_identifier?: string;
  readonly subject_alternative_name?: string;
  readonly issuer_alternative_name?: string;
  readonly subject_directory_attributes?: string;
  readonly crl_distribution_points?: string;
  readonly inhibit_any_policy?: string;
  readonly private_key_usage_period_not_before?: Timestamp;
  readonly private_key_usage_period_not_after?: Timestamp;
  readonly certificate_policies?: string;
  readonly policy_mappings?: string;
}
