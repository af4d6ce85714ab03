import { describe, expect, it } from "vitest";
import { isThreatbusError } from "../src/errors.ts";
import { checkPattern } from "../src/pattern/check.ts";
import { parsePattern } from "../src/pattern/parser.ts";

/** Text, place, what was expected, what was found. */
const invalid: [string, string, string, string][] = [
  ["", "1:1", "[ or (", "the end"],
  ["   ", "1:4", "[ or (", "the end"],
  ["file:size = 1280", "1:1", "[ or (", "file"],
  ["[]", "1:2", "an object path such as file:name", "]"],
  ["()", "1:2", "[ or (", ")"],
  ["[()]", "1:3", "an object path such as file:name", ")"],
  ["[[a:b = 1]]", "1:2", "an object path such as file:name", "["],
  ["[a:b = 1", "1:9", "AND, OR or ]", "the end"],
  ["([a:b = 1]", "1:11", ")", "the end"],
  ["[a:b = 1]]", "1:10", "AND, OR, FOLLOWEDBY, WITHIN, REPEATS, START or the end", "]"],
  ["[a:b = 1] [c:d = 2]", "1:11", "AND, OR, FOLLOWEDBY, WITHIN, REPEATS, START or the end", "["],
  ["[a:b = 1] AND", "1:14", "[ or (", "the end"],
  ["[a:b = 1 AND]", "1:13", "an object path such as file:name", "]"],
  ["[a:b = 1 FOLLOWEDBY c:d = 2]", "1:10", "AND, OR or ]", "FOLLOWEDBY"],
  ["[a:b = 1] NOT [c:d = 2]", "1:11", "AND, OR, FOLLOWEDBY, WITHIN, REPEATS, START or the end", "NOT"],
  ["[NOT a:b = 1]", "1:6", "EXISTS", "a"],
  ["[EXISTS (a:b)]", "1:9", "an object path such as file:name", "("],
  // Paths.
  ["[file.size = 1]", "1:6", ": after the object type", "."],
  ["[AND:x = 1]", "1:2", "an object path such as file:name", "AND"],
  ["['file':x = 1]", "1:2", "an object path such as file:name", "'file'"],
  ["[file:hashes.SHA-256 = 'x']", "1:14", "a key", "SHA-256"],
  ["[a:IN = 1]", "1:4", "a key", "IN"],
  ["[a:b.0 = 1]", "1:5", "an operator (=, !=, <, <=, >, >=, IN, LIKE, MATCHES, ISSUBSET, ISSUPERSET)", ".0"],
  ["[a:b. = 1]", "1:7", "a key", "="],
  ["[a: = 1]", "1:5", "a key", "="],
  ["[a:b[x] = 1]", "1:6", "* or a list index", "x"],
  ["[a:b[01] = 1]", "1:6", "a number without leading zeros", "01"],
  ["[a:b[9007199254740992] = 1]", "1:6", "* or a list index", "9007199254740992"],
  ["[a:b[0 = 1]", "1:8", "]", "="],
  ["[a:b[0]c = 1]", "1:8", "an operator (=, !=, <, <=, >, >=, IN, LIKE, MATCHES, ISSUBSET, ISSUPERSET)", "c"],
  // Operators and values.
  ["[a:b ! = 1]", "1:6", "a part of a pattern", "!"],
  ["[file:hashes.MD5 =? 'x']", "1:19", "a part of a pattern", "?"],
  ["[a:b => 1]", "1:7", "a value", ">"],
  ["[file:size = ]", "1:14", "a value", "]"],
  ["[a:b = cead3f77]", "1:8", "a value", "cead3f77"],
  ["[a:b = \"x\"]", "1:8", "a part of a pattern", "\""],
  ["[a:b = TRUE]", "1:8", "a value", "TRUE"],
  ["[a:b > true]", "1:8", "a value that has an order", "true"],
  ["[a:b LIKE 5]", "1:11", "a string", "5"],
  ["[a:b MATCHES h'ff']", "1:14", "a string", "h'ff'"],
  ["[a:b ISSUBSET ]", "1:15", "a string", "]"],
  ["[a:b IN 'x']", "1:9", "( and a list of values", "'x'"],
  ["[a:b IN (1,)]", "1:12", "a value", ")"],
  ["[a:b IN (1 2)]", "1:12", ", or )", "2"],
  ["[a:b = 05]", "1:8", "a number without leading zeros", "05"],
  ["[a:b = 1.]", "1:9", "AND, OR or ]", "."],
  ["[a:b = 1.5.6]", "1:11", "AND, OR or ]", ".6"],
  ["[a:b = - 1]", "1:8", "a number after the sign", "-"],
  ["[a:b = 1e5]", "1:9", "AND, OR or ]", "e5"],
  ["[a:b = h'f']", "1:8", "pairs of hexadecimal digits such as h'ffd8'", "h'f'"],
  ["[a:b = b'====']", "1:8", "Base64 text such as b'aGk='", "b'===='"],
  ["[a:b = b'']", "1:8", "Base64 text such as b'aGk='", "b''"],
  ["[a:b = t'2016-13-01T00:00:00Z']", "1:8", "a time such as t'2024-01-31T12:00:00Z'", "t'2016-13-01T00:00:00Z'"],
  ["[a:b = t'2016-06-01t00:00:00Z']", "1:8", "a time such as t'2024-01-31T12:00:00Z'", "t'2016-06-01t00:00:00Z'"],
  ["[a:b = h'ff", "1:8", "pairs of hexadecimal digits such as h'ffd8'", "h'ff"],
  ["[a:b = 'x]", "1:8", "the ' that ends this string", "the end"],
  ["[a:b = 'C:\\Windows']", "1:11", "\\\\ or \\'", "\\W"],
  ["[a:b = 'x\\", "1:10", "\\\\ or \\'", "the end"],
  // Qualifiers.
  ["[a:b = 1] WITHIN ]", "1:18", "a number of seconds", "]"],
  ["[a:b = 1] WITHIN 5 HOURS", "1:20", "SECONDS", "HOURS"],
  ["[a:b = 1] WITHIN -5 SECONDS", "1:18", "a number of seconds", "-5"],
  ["[a:b = 1] REPEATS 1.5 TIMES", "1:19", "a whole number of times", "1.5"],
  ["[a:b = 1] START t'2016-06-01T00:00:00Z'", "1:40", "STOP", "the end"],
  ["[a:b = 1] START 'yesterday' STOP 'now'", "1:17", "a time such as t'2024-01-31T12:00:00Z'", "'yesterday'"],
  ["[a:b = 1] within 5 SECONDS", "1:11", "AND, OR, FOLLOWEDBY, WITHIN, REPEATS, START or the end", "within"],
  ["[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", "1:28", "each qualifier once", "a second WITHIN"],
  // Lines, comments, odd characters.
  ["[a:b = 1]\n\r\n  AND /* x */ x", "3:15", "[ or (", "x"],
  ["[a:b = 1 /* ]", "1:10", "the */ that ends this comment", "the end"],
  ["[a:b = 1]/*/", "1:10", "the */ that ends this comment", "the end"],
  ["[a:b = 1] /", "1:11", "a part of a pattern", "/"],
  ["\ufeff[a:b = 1]", "1:1", "a part of a pattern", "\\u{feff}"],
  ["[a:b = 1]\0", "1:10", "a part of a pattern", "\\u{0}"],
  ["[a:b = 1]😀", "1:10", "a part of a pattern", "😀"],
];

function failure(read: () => unknown): { message: string; hint?: string | undefined } {
  try {
    read();
  } catch (error) {
    if (isThreatbusError(error, "PATTERN_INVALID")) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("errors", () => {
  it.each(invalid)("%j fails at %s", (text, place, expected, found) => {
    const { message } = failure(() => parsePattern(text));
    expect(message.split("\n")[0]).toBe(`${place}: expected ${expected}, found ${found}`);
    expect(failure(() => checkPattern(text)).message).toBe(message);
  });

  it("show the line with a caret below the place", () => {
    const { message } = failure(() => parsePattern("[a:b = 1]\nAND [file:size = ]"));
    expect(message).toBe("2:18: expected a value, found ]\n  AND [file:size = ]\n                   ^");
  });

  it("show what is around the place if the line is long, controls escaped", () => {
    const { message } = failure(() => parsePattern(`[a:b = '\u001b[31m${"x".repeat(200)}' == '${"y".repeat(200)}']`));
    const [, line = "", caret = ""] = message.split("\n");
    expect(line).toMatch(/^ {2}…x+' == 'y+…$/);
    expect(line.length).toBe(82);
    expect(line.charAt(caret.length - 1)).toBe("=");
    const escaped = failure(() => parsePattern("[a:b\u001b = 1]")).message;
    expect(escaped).toBe("1:5: expected a part of a pattern, found \\u{1b}\n  [a:b\\u{1b} = 1]\n      ^");
  });

  it("say how it is written", () => {
    expect(failure(() => parsePattern("[a:b = 1] within 5 SECONDS")).hint).toBe("Keywords are written in upper case: WITHIN.");
    expect(failure(() => parsePattern("[a:SHA-1 = 'x']")).hint).toBe("Write this one in quotes: 'SHA-1'.");
    expect(failure(() => parsePattern("[a:b = x]")).hint).toBe("Text is written in single quotes.");
    expect(failure(() => parsePattern("[a:b = 'C:\\W']")).hint).toContain("a backslash is written \\\\");
  });

  it("count how much is too much", () => {
    expect(failure(() => parsePattern("x".repeat(65_537))).message).toBe("the pattern has 65537 characters, at most 65536 are read");
    const { message } = failure(() => parsePattern("(".repeat(65)));
    expect(message.split("\n")[0]).toBe("1:65: expected at most 64 parentheses within each other, found (");
  });
});
