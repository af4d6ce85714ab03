import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type ErrorCode as YamlErrorCode, type Node, type Pair } from "yaml";
import { configIssue, printName, type ConfigIssue } from "./problems.ts";
import { isForbiddenName, isSection, type Origin, type Section, type SettingPath } from "./settings.ts";

/** Values in one file, those repeated by aliases counted each time. */
const maxValues = 100_000;
const maxDepth = 64;
/** Syntax errors follow from one another: the first few are the useful ones. */
const maxSyntaxErrors = 10;

/** Own words, so that no text of the file (it may be a secret) gets into a message. */
const syntaxErrors: Record<YamlErrorCode, string> = {
  ALIAS_PROPS: "an alias cannot have an anchor or a tag",
  BAD_ALIAS: "an alias or anchor needs a name",
  BAD_COLLECTION_TYPE: "the tag does not fit what follows",
  BAD_DIRECTIVE: "not a YAML directive",
  BAD_DQ_ESCAPE: "unknown escape in a double-quoted text; use single quotes, or double the backslash",
  BAD_INDENT: "wrong indentation, or a bracket left open",
  BAD_PROP_ORDER: "an anchor or tag stands in the wrong place",
  BAD_SCALAR_START: "a value cannot begin with this character; put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a nested value cannot start on this line; missing quotes around a text with a colon?",
  BLOCK_IN_FLOW: "an indented list or section cannot stand inside brackets",
  DUPLICATE_KEY: "this key is there twice",
  IMPOSSIBLE: "not YAML",
  KEY_OVER_1024_CHARS: "a key is too long",
  MISSING_CHAR: "something is missing here: a space, comma, colon, quote or bracket",
  MULTILINE_IMPLICIT_KEY: "a key must be on one line; is a colon missing on the line before?",
  MULTIPLE_ANCHORS: "two anchors on one value",
  MULTIPLE_DOCS: "a second document begins here; a configuration is one document",
  MULTIPLE_TAGS: "two tags on one value",
  NON_STRING_KEY: "a key must be a text",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "a tab cannot indent; use spaces",
  TAG_RESOLVE_FAILED: "unknown tag",
  UNEXPECTED_TOKEN: "this was not expected here",
};

export interface ParsedYaml {
  readonly value: unknown;
  /** In the order found: path and origin of every value. */
  readonly origins: readonly (readonly [SettingPath, Origin])[];
  readonly issues: readonly ConfigIssue[];
  /** Whether the issues are of syntax, so that `value` tells nothing. */
  readonly broken: boolean;
}

/**
 * Parses one YAML 1.2 document (core schema, merge keys understood). `name` is the file's name in issues.
 * Never throws: what cannot be read is an issue.
 */
export function parseYaml(text: string, name: string): ParsedYaml {
  const lines = new LineCounter();
  const where = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  try {
    // The parser's own check for duplicate keys takes quadratic time; the reader below has its own.
    const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false, logLevel: "error", lineCounter: lines });
    const syntax = document.errors
      .slice(0, maxSyntaxErrors)
      .map((error) => configIssue(where(error.pos[0]), [], syntaxErrors[error.code] ?? "not YAML"));
    if (syntax.length > 0) return { value: undefined, origins: [], issues: syntax, broken: true };
    const issues = document.warnings
      .slice(0, maxSyntaxErrors)
      .map((warning) => configIssue(where(warning.pos[0]), [], syntaxErrors[warning.code] ?? "not YAML"));
    const reader = new NodeReader(where, issues);
    const value = document.contents === null ? null : reader.read(document.contents, [], undefined);
    return { value, origins: reader.origins, issues, broken: false };
  } catch (error) {
    // Input nested thousands deep ends the parser's stack.
    const message = error instanceof TooLarge ? error.message : error instanceof RangeError ? syntaxErrors.RESOURCE_EXHAUSTION : "not YAML";
    return {
      value: undefined,
      origins: [],
      issues: [configIssue(error instanceof TooLarge ? error.where : name, [], message)],
      broken: true,
    };
  }
}

class TooLarge extends Error {
  readonly where: string;
  constructor(where: string, message: string) {
    super(message);
    this.where = where;
  }
}

class NodeReader {
  readonly origins: [SettingPath, Origin][] = [];
  readonly #where: (offset: number) => string;
  readonly #issues: ConfigIssue[];
  readonly #anchors: Map<string, Node> = new Map();
  readonly #open: Set<Node> = new Set();
  #count = 0;

  constructor(where: (offset: number) => string, issues: ConfigIssue[]) {
    this.#where = where;
    this.#issues = issues;
  }

  read(node: unknown, path: SettingPath, keyWhere: string | undefined): unknown {
    if (isAlias(node)) return this.#readAlias(node.source, this.#place(node), path, keyWhere);
    const place = isNode(node) ? this.#place(node) : (keyWhere ?? this.#where(0));
    if (++this.#count > maxValues) throw new TooLarge(place, `more than ${maxValues} values, repeated ones included`);
    if (path.length > maxDepth) throw new TooLarge(place, syntaxErrors.RESOURCE_EXHAUSTION);
    const plain = isScalar(node) && node.type === "PLAIN" && node.source !== undefined && node.source !== "";
    this.origins.push([path, { where: place, ...(keyWhere === undefined ? {} : { keyWhere }), ...(plain ? { source: node.source } : {}) }]);
    if (!isNode(node)) return null;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    try {
      if (isMap(node)) return this.#readMap(node.items, path);
      if (isSeq(node)) return node.items.map((item, index) => this.read(item, [...path, index], undefined));
      return isScalar(node) && isPlainValue(node.value)
        ? node.value
        : this.#complain(place, path, "expected a text, a number, true, false or null", null);
    } finally {
      this.#open.delete(node);
    }
  }

  #readAlias(name: string, place: string, path: SettingPath, keyWhere: string | undefined): unknown {
    const target = this.#anchors.get(name);
    if (target === undefined)
      return this.#complain(place, path, "an alias without an anchor before it; a text that begins with * needs quotes", null);
    if (this.#open.has(target)) return this.#complain(place, path, "an alias to what it stands in", null);
    return this.read(target, path, keyWhere);
  }

  #readMap(items: readonly Pair[], path: SettingPath): Section {
    const section: Section = {};
    const merged: Section[] = [];
    for (const { key, value } of items) {
      const place = isNode(key) ? this.#place(key) : this.#where(0);
      if (!isScalar(key) || (typeof key.value !== "string" && typeof key.value !== "number" && typeof key.value !== "boolean")) {
        this.#complain(place, path, syntaxErrors.NON_STRING_KEY, null);
        continue;
      }
      const name = String(key.value);
      if (name === "<<" && key.type === "PLAIN") merged.push(...this.#readMerge(value, path, place));
      else if (isForbiddenName(name)) this.#complain(place, path, `${printName(name)} cannot be a key`, null);
      else if (Object.hasOwn(section, name)) this.#complain(place, [...path, name], syntaxErrors.DUPLICATE_KEY, null);
      else section[name] = this.read(value, [...path, name], place);
    }
    for (const source of merged)
      for (const [name, value] of Object.entries(source)) if (!Object.hasOwn(section, name)) section[name] = value;
    return section;
  }

  #readMerge(value: unknown, path: SettingPath, place: string): Section[] {
    const known = this.origins.length;
    const merged = this.read(value, path, place);
    // What is merged in has no place of its own: problems with it are shown where it is merged.
    this.origins.length = known;
    const sections = Array.isArray(merged) ? merged : [merged];
    if (sections.every(isSection)) return sections;
    this.#complain(place, path, "<< merges sections only", null);
    return [];
  }

  #complain<Value>(place: string, path: SettingPath, message: string, instead: Value): Value {
    this.#issues.push(configIssue(place, path, message));
    return instead;
  }

  #place(node: Node): string {
    return this.#where(node.range?.[0] ?? 0);
  }
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

function isPlainValue(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
