/** One worked object, or more, of every domain and relationship type: a phishing campaign against hospitals, told in STIX. */
import type {
  AttackPattern, Campaign, CourseOfAction, Grouping, Identity, Incident, Indicator, Infrastructure, IntrusionSet, Location, Malware,
  MalwareAnalysis, Note, ObservedData, Opinion, Relationship, Report, Sighting, StixObject, ThreatActor, Tool, Vulnerability,
} from "../../src/index.ts";
import { tlp } from "../../src/index.ts";

const author = "identity--2f1c9a51-0f5d-4f0e-9d4c-6b1f4a8f8c11";
const versioned = {
  spec_version: "2.1",
  created_by_ref: author,
  created: "2024-03-11T08:15:00.000Z",
  modified: "2024-03-12T16:40:21.481Z",
} as const;

export const attackPattern = {
  ...versioned,
  type: "attack-pattern",
  id: "attack-pattern--5f9b3c54-7f0b-4a5e-8f0e-0c3e5d6a7b01",
  name: "Spearphishing Attachment",
  description: "Invoices with macros, sent to accounts departments.",
  aliases: ["Invoice lure"],
  external_references: [{ source_name: "mitre-attack", external_id: "T1566.001" }],
  kill_chain_phases: [{ kill_chain_name: "mitre-attack", phase_name: "initial-access" }],
} satisfies AttackPattern;

export const campaign = {
  ...versioned,
  type: "campaign",
  id: "campaign--0d3f3f0a-5f0c-4a0b-8a39-6a1f0d4f7a02",
  name: "Ward Round",
  aliases: ["Night Shift"],
  first_seen: "2024-01-08T00:00:00Z",
  last_seen: "2024-03-10T22:13:05Z",
  objective: "Ransom from regional hospitals",
} satisfies Campaign;

export const courseOfAction = {
  ...versioned,
  type: "course-of-action",
  id: "course-of-action--6a7e9cb4-02d6-4f0f-b9c8-3dc2c9f1ab03",
  name: "Block macros in files from the Internet",
  description: "Group policy for all Office installations.",
} satisfies CourseOfAction;

export const grouping = {
  ...versioned,
  type: "grouping",
  id: "grouping--a1d5f4e9-3b6c-4e06-9a0d-5bd3e9a2fc04",
  name: "Mail wave of 11 March",
  context: "suspicious-activity",
  object_refs: [attackPattern.id, campaign.id],
} satisfies Grouping;

export const identity = {
  type: "identity",
  spec_version: "2.1",
  id: author,
  created: "2019-05-02T09:00:00.000Z",
  modified: "2019-05-02T09:00:00.000Z",
  name: "Example Health CERT",
  roles: ["coordinator"],
  identity_class: "organization",
  sectors: ["healthcare", "hospital-it"],
  contact_information: "cert@health.example, +49 30 5550100",
} satisfies Identity;

export const incident = {
  ...versioned,
  type: "incident",
  id: "incident--b6f0f3d2-7c8e-4d7e-8d0a-9f4a6a1e0b05",
  name: "Encrypted file server in ward 4",
  extensions: {
    "extension-definition--ef765651-680c-498d-9894-99799f2fa126": {
      extension_type: "property-extension",
      investigation_status: "open",
    },
  },
} satisfies Incident;

export const indicator = {
  ...versioned,
  type: "indicator",
  id: "indicator--3c7a0b1e-44b5-4f86-9f0e-7a3f1d2c5b06",
  name: "Command and control of Ward Round",
  indicator_types: ["malicious-activity"],
  pattern: "[ipv4-addr:value = '198.51.100.23'] OR [domain-name:value = 'updates.invoice-portal.example']",
  pattern_type: "stix",
  pattern_version: "2.1",
  valid_from: "2024-03-11T08:15:00Z",
  valid_until: "2024-06-11T08:15:00Z",
  kill_chain_phases: [{ kill_chain_name: "lockheed-martin-cyber-kill-chain", phase_name: "command-and-control" }],
  confidence: 85,
  lang: "en",
  labels: ["ward-round"],
  object_marking_refs: [tlp.green.id],
  granular_markings: [
    { selectors: ["pattern"], marking_ref: tlp.amber.id },
    { selectors: ["name"], lang: "en-GB" },
  ],
  x_example_score: 7,
} satisfies Indicator;

export const infrastructure = {
  ...versioned,
  type: "infrastructure",
  id: "infrastructure--7d0b1c3e-9b0f-4a76-8a51-1e2f3a4b5c07",
  name: "Rented servers of Ward Round",
  infrastructure_types: ["command-and-control", "staging"],
  first_seen: "2023-12-20T10:00:00Z",
} satisfies Infrastructure;

export const intrusionSet = {
  ...versioned,
  type: "intrusion-set",
  id: "intrusion-set--8e1c2d4f-0a1b-4b87-9b62-2f3a4b5c6d08",
  name: "Copper Heron",
  goals: ["extortion"],
  resource_level: "organization",
  primary_motivation: "organizational-gain",
  secondary_motivations: ["notoriety"],
} satisfies IntrusionSet;

export const locations = [
  { ...versioned, type: "location", id: "location--9f2d3e5a-1b2c-4c98-8c73-3a4b5c6d7e09", region: "northern-europe" },
  {
    ...versioned, type: "location", id: "location--0a3e4f6b-2c3d-4da9-9d84-4b5c6d7e8f10",
    country: "DE", administrative_area: "DE-BE", city: "Berlin", street_address: "Beispielweg 1", postal_code: "10115",
  },
  {
    ...versioned, type: "location", id: "location--1b4f5a7c-3d4e-4eba-8e95-5c6d7e8f9a11",
    name: "Exchange point", latitude: 52.52, longitude: 13.405, precision: 1000,
  },
] as const satisfies readonly Location[];

export const malware = [
  {
    ...versioned, type: "malware", id: "malware--2c5a6b8d-4e5f-4fcb-9fa6-6d7e8f9a0b12",
    name: "HeronLocker", is_family: true, malware_types: ["ransomware"], aliases: ["HLock"],
    architecture_execution_envs: ["x86-64"], implementation_languages: ["go", "rust"],
    capabilities: ["compromises-data-availability", "exfiltrates-data"],
  },
  {
    ...versioned, type: "malware", id: "malware--3d6b7c9e-5f6a-4adc-8ab7-7e8f9a0b1c13",
    is_family: false, first_seen: "2024-03-11T07:58:12Z",
    operating_system_refs: ["software--a1827f6d-ca53-5605-9e93-4316cd22a00a"],
    sample_refs: ["file--c2a0d6ae-8b0f-5c67-a0a9-6ee2f8a5d1f4"],
  },
] as const satisfies readonly Malware[];

export const malwareAnalysis = {
  ...versioned,
  type: "malware-analysis",
  id: "malware-analysis--4e7c8d0f-6a7b-4bed-9bc8-8f9a0b1c2d14",
  product: "example-sandbox",
  version: "4.2",
  host_vm_ref: "software--a1827f6d-ca53-5605-9e93-4316cd22a00a",
  modules: ["network", "memory"],
  submitted: "2024-03-11T08:20:00Z",
  analysis_started: "2024-03-11T08:21:10Z",
  analysis_ended: "2024-03-11T08:26:10Z",
  result_name: "Ransom.Win64.Heron",
  result: "malicious",
  sample_ref: "file--c2a0d6ae-8b0f-5c67-a0a9-6ee2f8a5d1f4",
} satisfies MalwareAnalysis;

export const note = {
  ...versioned,
  type: "note",
  id: "note--5f8d9e1a-7b8c-4cfe-8cd9-9a0b1c2d3e15",
  abstract: "Overlap",
  content: "The certificate was seen on another server in January.",
  authors: ["M. Muster"],
  object_refs: [infrastructure.id],
} satisfies Note;

export const observedData = [
  {
    ...versioned, type: "observed-data", id: "observed-data--6a9e0f2b-8c9d-4daf-9dea-0b1c2d3e4f16",
    first_observed: "2024-03-11T08:14:02Z", last_observed: "2024-03-11T08:14:55Z", number_observed: 3,
    object_refs: ["network-traffic--f2a1b0c9-d8e7-56f6-9594-a3b2c1d0e9f8", "ipv4-addr--7f6e5d4c-3b2a-5190-8807-f6e5d4c3b2a1"],
  },
  {
    ...versioned, type: "observed-data", id: "observed-data--7b0f1a3c-9d0e-4eba-8efb-1c2d3e4f5a17",
    first_observed: "2017-02-01T11:00:00Z", last_observed: "2017-02-01T11:00:00Z", number_observed: 1,
    objects: { "0": { type: "ipv4-addr", value: "203.0.113.9" }, "1": { type: "network-traffic", dst_ref: "0", protocols: ["tcp"] } },
  },
] as const satisfies readonly ObservedData[];

export const opinion = {
  ...versioned,
  type: "opinion",
  id: "opinion--8c1a2b4d-0e1f-4fcb-9fac-2d3e4f5a6b18",
  explanation: "The address belongs to a shared host.",
  authors: ["E. Example"],
  opinion: "disagree",
  object_refs: [indicator.id],
} satisfies Opinion;

export const report = {
  ...versioned,
  type: "report",
  id: "report--9d2b3c5e-1f2a-4adc-8abd-3e4f5a6b7c19",
  name: "Ward Round: phishing against hospitals",
  report_types: ["campaign", "malware"],
  published: "2024-03-12T17:00:00Z",
  object_refs: [campaign.id, indicator.id, malware[0].id],
} satisfies Report;

export const threatActor = {
  ...versioned,
  type: "threat-actor",
  id: "threat-actor--0e3c4d6f-2a3b-4bed-9bce-4f5a6b7c8d20",
  name: "Heron operators",
  threat_actor_types: ["crime-syndicate"],
  roles: ["infrastructure-operator", "sponsor"],
  goals: ["Ransom"],
  sophistication: "advanced",
  resource_level: "team",
  primary_motivation: "personal-gain",
  personal_motivations: ["notoriety"],
} satisfies ThreatActor;

export const tool = {
  ...versioned,
  type: "tool",
  id: "tool--1f4d5e7a-3b4c-4cfe-8cdf-5a6b7c8d9e21",
  name: "Remote desktop client",
  tool_types: ["remote-access"],
  tool_version: "11.0.3",
} satisfies Tool;

export const vulnerability = {
  ...versioned,
  type: "vulnerability",
  id: "vulnerability--2a5e6f8b-4c5d-4daf-9dea-6b7c8d9e0f22",
  name: "CVE-2021-44228",
  external_references: [{ source_name: "cve", external_id: "CVE-2021-44228" }],
} satisfies Vulnerability;

export const relationship = {
  ...versioned,
  type: "relationship",
  id: "relationship--3b6f7a9c-5d6e-4eba-8efb-7c8d9e0f1a23",
  relationship_type: "indicates",
  source_ref: indicator.id,
  target_ref: malware[0].id,
  start_time: "2024-03-11T08:15:00Z",
  stop_time: "2024-06-11T08:15:00Z",
} satisfies Relationship;

export const sighting = {
  ...versioned,
  type: "sighting",
  id: "sighting--4c7a8b0d-6e7f-4fcb-9fac-8d9e0f1a2b24",
  first_seen: "2024-03-11T08:14:02Z",
  last_seen: "2024-03-11T08:14:55Z",
  count: 3,
  sighting_of_ref: indicator.id,
  observed_data_refs: [observedData[0].id],
  where_sighted_refs: [identity.id, locations[1].id],
  summary: false,
} satisfies Sighting;

export const domainExamples: readonly StixObject<never>[] = [
  attackPattern, campaign, courseOfAction, grouping, identity, incident, indicator, infrastructure, intrusionSet, ...locations, ...malware,
  malwareAnalysis, note, ...observedData, opinion, report, threatActor, tool, vulnerability, relationship, sighting,
];
