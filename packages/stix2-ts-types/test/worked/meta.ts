/** Worked meta objects, a custom object, and a bundle of everything. */
import type { Bundle, CustomObject, ExtensionDefinition, LanguageContent, MarkingDefinition, StixObject } from "../../src/index.ts";
import { tlp } from "../../src/index.ts";
import { campaign, domainExamples, identity } from "./domain.ts";
import { observableExamples } from "./observable.ts";

const created = "2024-03-11T08:15:00.000Z";

export const languageContent = {
  type: "language-content", spec_version: "2.1", id: "language-content--5d8b9c1e-7f8a-4adc-8abd-9e0f1a2b3c25",
  created, modified: created,
  created_by_ref: identity.id, object_ref: campaign.id, object_modified: "2024-03-12T16:40:21.481Z",
  contents: {
    de: { name: "Visite", aliases: ["Nachtschicht"] },
    fr: { name: "Tournée", external_references: [{ description: "Bulletin" }] },
  },
} satisfies LanguageContent;

export const extensionDefinition = {
  type: "extension-definition", spec_version: "2.1", id: "extension-definition--6e9c0d2f-8a9b-4bed-9bce-0f1a2b3c4d26",
  created, modified: created,
  created_by_ref: identity.id, name: "Ward", description: "Which ward was hit.",
  schema: "https://health.example/ward/v1.json", version: "1.2.1",
  extension_types: ["toplevel-property-extension"], extension_properties: ["ward"],
} satisfies ExtensionDefinition;

export const markings = [
  tlp.white, tlp.green, tlp.amber, tlp.red,
  {
    type: "marking-definition", spec_version: "2.1", id: "marking-definition--7f0d1e3a-9b0c-4cfe-8cdf-1a2b3c4d5e27", created,
    definition_type: "statement", definition: { statement: "Copyright 2024, Example Health CERT" },
  },
  {
    type: "marking-definition", spec_version: "2.1", id: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    created: "2022-10-01T00:00:00.000Z",
    name: "TLP:AMBER",
    extensions: {
      "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": { extension_type: "property-extension", tlp_2_0: "amber" },
    },
  },
] as const satisfies readonly MarkingDefinition[];

export const customObject = {
  type: "x-hospital-ward", id: "x-hospital-ward--8a1e2f4b-0c1d-4daf-9dea-2b3c4d5e6f28", created, beds: 24, head: { name: "Dr. Muster" },
} satisfies CustomObject;

export const metaExamples: readonly StixObject<never>[] = [languageContent, extensionDefinition, ...markings];

export const bundle: Bundle = {
  type: "bundle",
  id: "bundle--9b2f3a5c-1d2e-4eba-8efb-3c4d5e6f7a29",
  objects: [...domainExamples, ...observableExamples, ...metaExamples, customObject],
};
