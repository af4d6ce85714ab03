/** Vocabularies of cyber-observable objects: STIX 2.1 §10. Open ones accept any other string too, those marked closed do not. */
import type { Open } from "../common.ts";

/** STIX 2.1 §10.1. */
export const accountTypes = [
  "facebook", "ldap", "nis", "openid", "radius", "skype", "tacacs", "twitter", "unix", "windows-local", "windows-domain",
] as const;
export type AccountType = Open<(typeof accountTypes)[number]>;

/** Closed. STIX 2.1 §10.4. */
export const encryptionAlgorithms = ["AES-256-GCM", "ChaCha20-Poly1305", "mime-type-indicated"] as const;
export type EncryptionAlgorithm = (typeof encryptionAlgorithms)[number];

/** STIX 2.1 §10.7. */
export const hashAlgorithms = ["MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH"] as const;
export type HashAlgorithm = Open<(typeof hashAlgorithms)[number]>;

/** Closed. STIX 2.1 §10.16. */
export const networkSocketAddressFamilies = [
  "AF_UNSPEC", "AF_INET", "AF_IPX", "AF_APPLETALK", "AF_NETBIOS", "AF_INET6", "AF_IRDA", "AF_BTH",
] as const;
export type NetworkSocketAddressFamily = (typeof networkSocketAddressFamilies)[number];

/** Closed. STIX 2.1 §10.17. */
export const networkSocketTypes = ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"] as const;
export type NetworkSocketType = (typeof networkSocketTypes)[number];

/** Closed. STIX 2.1 §10.27. */
export const windowsIntegrityLevels = ["low", "medium", "high", "system"] as const;
export type WindowsIntegrityLevel = (typeof windowsIntegrityLevels)[number];

/** STIX 2.1 §10.28. */
export const windowsPeBinaryTypes = ["dll", "exe", "sys"] as const;
export type WindowsPeBinaryType = Open<(typeof windowsPeBinaryTypes)[number]>;

/** Closed. STIX 2.1 §10.29. */
export const windowsRegistryDatatypes = [
  "REG_NONE", "REG_SZ", "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_DWORD_LITTLE_ENDIAN", "REG_LINK",
  "REG_MULTI_SZ", "REG_RESOURCE_LIST", "REG_FULL_RESOURCE_DESCRIPTION", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_QWORD", "REG_INVALID_TYPE",
] as const;
export type WindowsRegistryDatatype = (typeof windowsRegistryDatatypes)[number];

/** Closed. STIX 2.1 §10.30. */
export const windowsServiceStartTypes = [
  "SERVICE_AUTO_START", "SERVICE_BOOT_START", "SERVICE_DEMAND_START", "SERVICE_DISABLED", "SERVICE_SYSTEM_ALERT",
] as const;
export type WindowsServiceStartType = (typeof windowsServiceStartTypes)[number];

/** Closed. STIX 2.1 §10.31. */
export const windowsServiceTypes = [
  "SERVICE_KERNEL_DRIVER", "SERVICE_FILE_SYSTEM_DRIVER", "SERVICE_WIN32_OWN_PROCESS", "SERVICE_WIN32_SHARE_PROCESS",
] as const;
export type WindowsServiceType = (typeof windowsServiceTypes)[number];

/** Closed. STIX 2.1 §10.32. */
export const windowsServiceStatuses = [
  "SERVICE_CONTINUE_PENDING", "SERVICE_PAUSE_PENDING", "SERVICE_PAUSED", "SERVICE_RUNNING", "SERVICE_START_PENDING", "SERVICE_STOP_PENDING",
  "SERVICE_STOPPED",
] as const;
export type WindowsServiceStatus = (typeof windowsServiceStatuses)[number];
