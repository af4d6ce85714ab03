import type { Body } from "@threatbus/core";
import type { Indicator, Sighting } from "stix2-ts-types";
/** One change of what tools watch for. */
export interface Watch {
    readonly value: string;
    readonly indicator: Indicator;
    readonly removed: boolean;
}
/** What a tool can do with a message: one change per value that the indicator names; none if it is a pattern of another kind. */
export declare function watchesOf(body: Body): readonly Watch[];
/** A line to a tool. JSON keeps whatever an indicator holds inside its line. */
export declare function lineFor(value: string, removed: boolean): string;
/** The value a line of a tool reports as seen. @throws ThreatbusError `MESSAGE_REFUSED` if it is not JSON */
export declare function seenIn(line: Uint8Array): string | undefined;
/** @param at milliseconds since 1970 */
export declare function sightingOf(indicator: Indicator, value: string, at: number): Sighting;
