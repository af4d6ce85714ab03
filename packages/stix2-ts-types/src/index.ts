export type {
  AtLeastOne, Binary, CustomProperties, Dictionary, DomainProperties, ExternalReference, GranularMarking, Hashes, Hex, Identifier,
  KillChainPhase, LanguageTag, MarkedProperties, ObservableProperties, Open, Timestamp,
} from "./common.ts";
export { timestamp } from "./timestamp.ts";

export type { Campaign, Identity, IntrusionSet, Location, ThreatActor } from "./sdo/actor.ts";
export type { Grouping, Note, Opinion, Report } from "./sdo/assessment.ts";
export type { ContainedObservable, Incident, Indicator, ObservedData } from "./sdo/evidence.ts";
export type { AttackPattern, CourseOfAction, Infrastructure, Malware, MalwareAnalysis, Tool, Vulnerability } from "./sdo/technique.ts";

export type { Relationship, RelationshipType, Sighting } from "./sro.ts";
export { relationshipTypes } from "./sro.ts";

export type { X509Certificate, X509V3Extensions } from "./sco/certificate.ts";
export type { EmailAddress, EmailMessage, EmailMimeComponent } from "./sco/email.ts";
export type { Artifact, Directory, File, FileExtensions } from "./sco/file.ts";
export type {
  Mutex, Process, ProcessExtensions, Software, UserAccount, UserAccountExtensions, WindowsRegistryKey, WindowsRegistryValue,
} from "./sco/host.ts";
export type {
  AutonomousSystem, DomainName, Ipv4Address, Ipv6Address, MacAddress, NetworkEndpointRef, NetworkTraffic, NetworkTrafficExtensions, Url,
} from "./sco/network.ts";

export type { Extension, Extensions } from "./extensions/extension.ts";
export type { AlternateDataStream, ArchiveExtension, NtfsExtension, PdfExtension, RasterImageExtension } from "./extensions/file.ts";
export type { UnixAccountExtension, WindowsProcessExtension, WindowsServiceExtension } from "./extensions/host.ts";
export type { HttpRequestExtension, IcmpExtension, SocketExtension, SocketOption, TcpExtension } from "./extensions/network.ts";
export type { WindowsPeBinaryExtension, WindowsPeOptionalHeader, WindowsPeSection } from "./extensions/windows-pe.ts";

export type {
  CustomMarking, ExtendedMarking, ExtensionDefinition, LanguageContent, MarkingDefinition, MarkingProperties, StatementMarking, Translated,
} from "./meta.ts";
export type { TlpColour, TlpMarking } from "./tlp.ts";
export { tlp } from "./tlp.ts";

export type {
  CustomObject, DomainObject, MetaObject, ObjectOfType, ObjectType, ObservableObject, RelationshipObject, StandardObject, StixObject,
} from "./objects.ts";
export { domainObjectTypes, metaObjectTypes, objectTypes, observableObjectTypes, relationshipObjectTypes } from "./objects.ts";
export type { Bundle } from "./bundle.ts";

export type {
  AttackMotivation, AttackResourceLevel, ExtensionType, GroupingContext, IdentityClass, IndicatorType, IndustrySector, InfrastructureType,
  OpinionValue, PatternType, Region, ReportType, ThreatActorRole, ThreatActorSophistication, ThreatActorType, ToolType,
} from "./vocabularies/domain.ts";
export {
  attackMotivations, attackResourceLevels, extensionTypes, groupingContexts, identityClasses, indicatorTypes, industrySectors,
  infrastructureTypes, opinionValues, patternTypes, regions, reportTypes, threatActorRoles, threatActorSophistications, threatActorTypes,
  toolTypes,
} from "./vocabularies/domain.ts";
export type {
  ImplementationLanguage, MalwareCapability, MalwareResult, MalwareType, ProcessorArchitecture,
} from "./vocabularies/malware.ts";
export {
  implementationLanguages, malwareCapabilities, malwareResults, malwareTypes, processorArchitectures,
} from "./vocabularies/malware.ts";
export type {
  AccountType, EncryptionAlgorithm, HashAlgorithm, NetworkSocketAddressFamily, NetworkSocketType, WindowsIntegrityLevel,
  WindowsPeBinaryType, WindowsRegistryDatatype, WindowsServiceStartType, WindowsServiceStatus, WindowsServiceType,
} from "./vocabularies/observable.ts";
export {
  accountTypes, encryptionAlgorithms, hashAlgorithms, networkSocketAddressFamilies, networkSocketTypes, windowsIntegrityLevels,
  windowsPeBinaryTypes, windowsRegistryDatatypes, windowsServiceStartTypes, windowsServiceStatuses, windowsServiceTypes,
} from "./vocabularies/observable.ts";
