/** What MISP says on its topics, every field in one form. Text is empty, and a list absent, where MISP does not say. */
export type MispMessage = AttributeMessage | PublishedMessage | EventMessage | TagMessage | SightingMessage;

/** `misp_json_attribute`, Kafka's `misp_attribute`, and rows of `attributes/restSearch`. */
export interface AttributeMessage {
  readonly kind: "attribute";
  /** `add` where an old MISP gives none. */
  readonly action: AttributeAction;
  readonly attribute: MispAttribute;
  /** Absent when the message has none: hard deletes. */
  readonly event?: MispEvent;
}
export type AttributeAction = "add" | "edit" | "soft-delete" | "delete";

/** An event with its attributes: ZeroMQ's `misp_json`, Kafka's `misp_event_publish`. */
export interface PublishedMessage {
  readonly kind: "published";
  /** Only Kafka tells of `unpublish`. */
  readonly action: "publish" | "unpublish";
  readonly event: MispEvent;
  /** All that are not deleted, those of objects too. Absent: the message has no list, so none of them is known to be missing. */
  readonly attributes?: readonly MispAttribute[];
  /** Why rows of the list could not be read. */
  readonly refused: readonly DecodeRefusal[];
}

/** `misp_json_event`, Kafka's `misp_event`. */
export interface EventMessage {
  readonly kind: "event";
  /** `pulled`: it came or changed with a pull from another MISP; only its id is known. */
  readonly action: "add" | "edit" | "delete" | "pulled";
  readonly event: MispEvent;
}

/** `misp_json_tag`, Kafka's `misp_tag`. */
export interface TagMessage {
  readonly kind: "tag";
  readonly action: "add" | "edit" | "delete" | "attached" | "detached";
  readonly tag: MispTag;
  /** What it was attached to or detached from. */
  readonly target?: { readonly kind: "attribute" | "event"; readonly id: string };
}

/** `misp_json_sighting`, Kafka's `misp_sighting`. */
export interface SightingMessage {
  readonly kind: "sighting";
  readonly action: "add" | "delete";
  readonly sighting: MispSighting;
}

export interface MispAttribute {
  /** Of this MISP. */
  readonly id: string;
  /** Lower case. */
  readonly uuid: string;
  readonly type: string;
  readonly value: string;
  readonly category: string;
  readonly comment: string;
  readonly toIds: boolean;
  readonly deleted: boolean;
  /** Seconds since 1970-01-01 UTC of the last change. */
  readonly timestamp: number;
  /** Of this MISP. */
  readonly eventId: string;
  /** Its own, without those of its event. */
  readonly tags: readonly MispTag[];
  /** Seconds since 1970-01-01 UTC: the newest sighting of type 2 that came with it. */
  readonly expires?: number;
}

export interface MispTag {
  readonly name: string;
  /** Never leaves the MISP where it was set. */
  readonly local: boolean;
  readonly exportable: boolean;
}

export interface MispEvent {
  /** Of this MISP. */
  readonly id: string;
  readonly uuid: string;
  /** The creator. */
  readonly orgc: MispOrganisation;
  /** Absent: not known. Empty: known to have none. */
  readonly tags?: readonly MispTag[];
  /** Absent in attribute messages, where MISP's word for it is out of date. */
  readonly published?: boolean;
  /** Seconds since 1970-01-01 UTC of its last change or publishing, whichever is later. */
  readonly timestamp?: number;
}

export interface MispOrganisation {
  readonly id: string;
  readonly uuid: string;
  readonly name: string;
}

export interface MispSighting {
  /** Of the sighting itself, not of its attribute. */
  readonly uuid: string;
  readonly type: "sighting" | "false-positive" | "expiration";
  /** Seconds since 1970-01-01 UTC. */
  readonly timestamp: number;
  /** Free text of who reported it. */
  readonly source: string;
  /** Empty in messages of older MISPs. */
  readonly attributeUuid: string;
  readonly attributeId: string;
  readonly eventId: string;
  readonly organisation: MispOrganisation;
}

/** What is wrong with the JSON (core's reasons), or with the message in it. */
export type DecodeRefusal = "size" | "utf8" | "json" | "depth" | "keys" | "shape" | "action" | "uuid" | "timestamp" | "to_ids";

export type Decoded<Message> = { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly reason: DecodeRefusal };
