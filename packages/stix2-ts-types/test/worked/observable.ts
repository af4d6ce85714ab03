/** One worked object, or more, of every observable type, with every predefined extension. */
import type {
  Artifact, AutonomousSystem, Directory, DomainName, EmailAddress, EmailMessage, File, Ipv4Address, Ipv6Address, MacAddress, Mutex,
  NetworkTraffic, Process, Software, StixObject, Url, UserAccount, WindowsRegistryKey, X509Certificate,
} from "../../src/index.ts";

const sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export const artifacts = [
  { type: "artifact", id: "artifact--10000000-0000-5000-8000-000000000001", mime_type: "text/plain", payload_bin: "aGVsbG8=" },
  {
    type: "artifact", id: "artifact--10000000-0000-5000-8000-000000000002",
    url: "https://samples.example/1.zip", hashes: { "SHA-256": sha256 },
    encryption_algorithm: "mime-type-indicated", decryption_key: "infected", mime_type: "application/zip",
  },
] as const satisfies readonly Artifact[];

export const autonomousSystem = {
  type: "autonomous-system", id: "autonomous-system--10000000-0000-5000-8000-000000000003", number: 64_496, name: "EXAMPLE-AS", rir: "RIPE",
} satisfies AutonomousSystem;

export const directory = {
  type: "directory", id: "directory--10000000-0000-5000-8000-000000000004", path: "C:\\Windows\\Temp", path_enc: "windows-1252",
  mtime: "2024-03-11T08:00:00Z", contains_refs: ["file--10000000-0000-5000-8000-000000000010"],
} satisfies Directory;

export const ipv4Address = {
  type: "ipv4-addr", spec_version: "2.1", id: "ipv4-addr--10000000-0000-5000-8000-000000000005", value: "198.51.100.23",
  belongs_to_refs: [autonomousSystem.id],
} satisfies Ipv4Address;

export const ipv6Address = {
  type: "ipv6-addr", id: "ipv6-addr--10000000-0000-5000-8000-000000000006", value: "2001:db8::/32",
} satisfies Ipv6Address;

export const macAddress = {
  type: "mac-addr", id: "mac-addr--10000000-0000-5000-8000-000000000007", value: "d2:fb:49:24:37:18",
} satisfies MacAddress;

export const domainName = {
  type: "domain-name", id: "domain-name--10000000-0000-5000-8000-000000000008", value: "updates.invoice-portal.example", defanged: true,
  resolves_to_refs: [ipv4Address.id, ipv6Address.id],
} satisfies DomainName;

export const url = {
  type: "url", id: "url--10000000-0000-5000-8000-000000000009", value: "https://updates.invoice-portal.example/a?b=1",
} satisfies Url;

export const files = [
  {
    type: "file", id: "file--10000000-0000-5000-8000-000000000010", name: "invoice.exe", size: 77_312,
    mime_type: "application/vnd.microsoft.portable-executable",
    magic_number_hex: "4d5a", hashes: { MD5: "d41d8cd98f00b204e9800998ecf8427e", "SHA-256": sha256, x_imphash: "0f0f" },
    parent_directory_ref: directory.id, content_ref: artifacts[1].id,
    extensions: {
      "windows-pebinary-ext": {
        pe_type: "exe", machine_hex: "8664", number_of_sections: 2, time_date_stamp: "2024-03-01T12:00:00Z", number_of_symbols: 0,
        size_of_optional_header: 240, characteristics_hex: "0022", imphash: "f34d5f2d4577ed6d9ceec516c1f5a744",
        optional_header: { magic_hex: "020b", image_base: 5_368_709_120, hashes: { MD5: "d41d8cd98f00b204e9800998ecf8427e" } },
        sections: [{ name: ".text", size: 51_200, entropy: 6.41 }, { name: "UPX0", entropy: 7.99 }],
      },
      "ntfs-ext": { sid: "S-1-5-21-1", alternate_data_streams: [{ name: "Zone.Identifier", size: 26 }] },
    },
  },
  {
    type: "file", id: "file--10000000-0000-5000-8000-000000000011", name: "invoices.zip",
    extensions: { "archive-ext": { contains_refs: ["file--10000000-0000-5000-8000-000000000010"], comment: "March" } },
  },
  {
    type: "file", id: "file--10000000-0000-5000-8000-000000000012", name: "invoice.pdf",
    extensions: {
      "pdf-ext": { version: "1.7", is_optimized: false, document_info_dict: { Title: "Invoice", Producer: "x" },
        pdfid0: "DFCE52BD", pdfid1: "57F0C1A1" },
    },
  },
  {
    type: "file", id: "file--10000000-0000-5000-8000-000000000013", hashes: { "SHA-256": sha256 },
    extensions: { "raster-image-ext": { image_height: 480, image_width: 640, bits_per_pixel: 24,
        exif_tags: { Make: "Example", XResolution: 72 } } },
  },
] as const satisfies readonly File[];

export const emailAddress = {
  type: "email-addr", id: "email-addr--10000000-0000-5000-8000-000000000014", value: "billing@invoice-portal.example",
  display_name: "Billing",
} satisfies EmailAddress;

export const emailMessages = [
  {
    type: "email-message", id: "email-message--10000000-0000-5000-8000-000000000015", is_multipart: false, date: "2024-03-11T07:50:00Z",
    from_ref: emailAddress.id, to_refs: [emailAddress.id], message_id: "<1@invoice-portal.example>", subject: "Overdue",
    body: "See attachment.",
    additional_header_fields: { "Reply-To": ["a@x.example", "b@x.example"] }, raw_email_ref: artifacts[0].id,
  },
  {
    type: "email-message", id: "email-message--10000000-0000-5000-8000-000000000016", is_multipart: true, content_type: "multipart/mixed",
    received_lines: ["from mail.invoice-portal.example ([198.51.100.23]) by mx.health.example; Mon, 11 Mar 2024 07:50:01 +0000"],
    body_multipart: [
      { body: "See attachment.", content_type: "text/plain; charset=utf-8", content_disposition: "inline" },
      { body_raw_ref: "file--10000000-0000-5000-8000-000000000010", content_type: "application/zip" },
    ],
  },
] as const satisfies readonly EmailMessage[];

export const mutex = { type: "mutex", id: "mutex--10000000-0000-5000-8000-000000000017", name: "Global\\heron" } satisfies Mutex;

export const networkTraffic = [
  {
    type: "network-traffic", id: "network-traffic--10000000-0000-5000-8000-000000000018",
    start: "2024-03-11T08:14:02Z", end: "2024-03-11T08:14:55Z",
    is_active: false, src_ref: ipv4Address.id, dst_ref: domainName.id, src_port: 24_678, dst_port: 80, protocols: ["ipv4", "tcp", "http"],
    src_byte_count: 35_779, dst_byte_count: 935_750, src_packets: 12, dst_packets: 90, ipfix: { minimumIpTotalLength: 32, flowId: "7" },
    src_payload_ref: artifacts[0].id, encapsulated_by_ref: "network-traffic--10000000-0000-5000-8000-000000000019",
    extensions: {
      "http-request-ext": {
        request_method: "get", request_value: "/a?b=1", request_version: "http/1.1", request_header: { Accept: ["text/html", "image/png"] },
      },
      "tcp-ext": { src_flags_hex: "00000002" },
    },
  },
  {
    type: "network-traffic", id: "network-traffic--10000000-0000-5000-8000-000000000019", dst_ref: macAddress.id, protocols: ["icmp"],
    extensions: {
      "icmp-ext": { icmp_type_hex: "08", icmp_code_hex: "00" },
      "socket-ext": {
        address_family: "AF_INET", socket_type: "SOCK_RAW", is_listening: false, options: { SO_RCVTIMEO: 5 },
        socket_descriptor: 4, socket_handle: 9,
      },
    },
  },
] as const satisfies readonly NetworkTraffic[];

export const userAccount = {
  type: "user-account", id: "user-account--10000000-0000-5000-8000-000000000020", user_id: "1001",
  account_login: "nurse1", account_type: "unix",
  is_privileged: false, account_created: "2020-01-01T00:00:00Z",
  extensions: { "unix-account-ext": { gid: 100, groups: ["users", "ward4"], home_dir: "/home/nurse1", shell: "/bin/bash" } },
} satisfies UserAccount;

export const process = {
  type: "process", id: "process--10000000-0000-5000-8000-000000000021", pid: 1221, is_hidden: true, created_time: "2024-03-11T08:13:59Z",
  command_line: "invoice.exe /s", environment_variables: { TEMP: "C:\\Temp" }, image_ref: files[0].id, creator_user_ref: userAccount.id,
  opened_connection_refs: [networkTraffic[0].id],
  extensions: {
    "windows-process-ext": { aslr_enabled: true, priority: "HIGH_PRIORITY_CLASS", owner_sid: "S-1-5-18", integrity_level: "system" },
    "windows-service-ext": {
      service_name: "heron", display_name: "Heron Update", start_type: "SERVICE_AUTO_START", service_type: "SERVICE_WIN32_OWN_PROCESS",
      service_status: "SERVICE_RUNNING", service_dll_refs: [files[0].id],
    },
  },
} satisfies Process;

export const software = {
  type: "software", id: "software--10000000-0000-5000-8000-000000000022", name: "Word", cpe: "cpe:2.3:a:microsoft:word:2016:*:*:*:*:*:*:*",
  vendor: "Microsoft", version: "2016", languages: ["en", "de"],
} satisfies Software;

export const windowsRegistryKey = {
  type: "windows-registry-key", id: "windows-registry-key--10000000-0000-5000-8000-000000000023",
  key: "HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows\\CurrentVersion\\Run", number_of_subkeys: 0, creator_user_ref: userAccount.id,
  values: [{ name: "heron", data: "C:\\Windows\\Temp\\invoice.exe", data_type: "REG_SZ" }, { name: "", data_type: "REG_NONE" }],
} satisfies WindowsRegistryKey;

export const certificate = {
  type: "x509-certificate", id: "x509-certificate--10000000-0000-5000-8000-000000000024", is_self_signed: true, version: "3",
  serial_number: "02:08:87",
  hashes: { "SHA-256": sha256 }, issuer: "CN=invoice-portal.example", subject: "CN=invoice-portal.example",
  signature_algorithm: "sha256WithRSAEncryption",
  validity_not_before: "2024-01-01T00:00:00Z", validity_not_after: "2025-01-01T00:00:00Z", subject_public_key_exponent: 65_537,
  x509_v3_extensions: {
    basic_constraints: "critical,CA:FALSE", key_usage: "digitalSignature", private_key_usage_period_not_after: "2025-01-01T00:00:00Z",
  },
} satisfies X509Certificate;

export const observableExamples: readonly StixObject<never>[] = [
  ...artifacts, autonomousSystem, directory, ipv4Address, ipv6Address, macAddress, domainName, url, ...files, emailAddress,
  ...emailMessages, mutex, ...networkTraffic, userAccount, process, software, windowsRegistryKey, certificate,
];
