/**
 * The syntax tree of a STIX 2.1 pattern (STIX 2.1 §9). Parentheses are not kept: the shape of the tree says the same.
 * Spellings with one meaning are one here: `==` is `=`, `<>` is `!=`, a leading `+` is gone, escapes are undone.
 */

/** Offsets into the text in UTF-16 units; `end` is the first one after the node. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Pattern = ObservationExpression;

export type ObservationExpression = Observation | QualifiedExpression | ObservationChain;

/** `[ … ]`: what one observation must fulfil. */
export interface Observation extends Span {
  readonly kind: "observation";
  readonly comparison: ComparisonExpression;
}

/** An expression with one or more qualifiers, applied from left to right. */
export interface QualifiedExpression extends Span {
  readonly kind: "qualified";
  readonly expression: ObservationExpression;
  readonly qualifiers: readonly Qualifier[];
}

/** Two or more expressions about different observations. */
export interface ObservationChain extends Span {
  readonly kind: "followedby" | "or" | "and";
  readonly operands: readonly ObservationExpression[];
}

export type Qualifier = Within | Repeats | StartStop;

/** `WITHIN … SECONDS`. Decimal text, exact, never negative. */
export interface Within extends Span {
  readonly kind: "within";
  readonly seconds: string;
}

/** `REPEATS … TIMES`. Decimal text, exact, never negative. */
export interface Repeats extends Span {
  readonly kind: "repeats";
  readonly times: string;
}

/** `START t'…' STOP t'…'`. The bare strings of STIX 2.0 are read as the same. */
export interface StartStop extends Span {
  readonly kind: "startstop";
  readonly from: TimestampLiteral;
  readonly until: TimestampLiteral;
}

export type ComparisonExpression = Comparison | Membership | Existence | ComparisonChain;

/** Two or more comparisons about one observation. */
export interface ComparisonChain extends Span {
  readonly kind: "or" | "and";
  readonly operands: readonly ComparisonExpression[];
}

/** `path operator value`. Ordering operators take no boolean, the ones named by a word take a string. */
export interface Comparison extends Span {
  readonly kind: "comparison";
  readonly path: ObjectPath;
  readonly negated: boolean;
  readonly operator: ComparisonOperator;
  readonly value: Literal;
}

export type ComparisonOperator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "LIKE" | "MATCHES" | "ISSUBSET" | "ISSUPERSET";

/** `path IN ( … )`. The list may be empty. */
export interface Membership extends Span {
  readonly kind: "in";
  readonly path: ObjectPath;
  readonly negated: boolean;
  readonly values: readonly Literal[];
}

/** `EXISTS path`. */
export interface Existence extends Span {
  readonly kind: "exists";
  readonly path: ObjectPath;
  readonly negated: boolean;
}

/** `type:key.key[0][*]`. The first step is a key. */
export interface ObjectPath extends Span {
  readonly objectType: string;
  readonly steps: readonly PathStep[];
}

export type PathStep = KeyStep | IndexStep;

export interface KeyStep extends Span {
  readonly kind: "key";
  /** Without quotes and escapes. */
  readonly name: string;
}

export interface IndexStep extends Span {
  readonly kind: "index";
  readonly index: number | "*";
}

export type Literal = StringLiteral | IntegerLiteral | FloatLiteral | BooleanLiteral | HexLiteral | BinaryLiteral | TimestampLiteral;

/** Without quotes and escapes. */
export interface StringLiteral extends Span {
  readonly kind: "string";
  readonly value: string;
}

/** Decimal text, exact at any size. */
export interface IntegerLiteral extends Span {
  readonly kind: "integer";
  readonly value: string;
}

/** Decimal text with a point, exact. */
export interface FloatLiteral extends Span {
  readonly kind: "float";
  readonly value: string;
}

export interface BooleanLiteral extends Span {
  readonly kind: "boolean";
  readonly value: boolean;
}

/** An even number of hexadecimal digits. */
export interface HexLiteral extends Span {
  readonly kind: "hex";
  readonly value: string;
}

/** Base64 text. */
export interface BinaryLiteral extends Span {
  readonly kind: "binary";
  readonly value: string;
}

/** `YYYY-MM-DDThh:mm:ss[.s…]Z`. */
export interface TimestampLiteral extends Span {
  readonly kind: "timestamp";
  readonly value: string;
}

/** Words that cannot be an object type, nor a key without quotes. */
export const keywords: ReadonlySet<string> = new Set([
  ..."AND OR NOT FOLLOWEDBY LIKE MATCHES ISSUPERSET ISSUBSET EXISTS LAST IN".split(" "),
  ..."START STOP SECONDS WITHIN REPEATS TIMES true false".split(" "),
]);
