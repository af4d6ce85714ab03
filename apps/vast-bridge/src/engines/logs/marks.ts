/**
 * Where in a block of JSON lines the bytes stand that matter to a search, found 16 bytes at a time by SIMD instructions (WebAssembly 2.0), or one
 * by one where the processor has none.
 *
 * For every 32 bytes of the block there are four words, each with one bit per byte, the lowest for the first:
 *
 * | word | bytes |
 * |---|---|
 * | 0 | ends: a quote with `,`, `]`, `}` or a blank behind it, as behind every string that is a value |
 * | 1 | quotes |
 * | 2 | backslashes, and all that is not ASCII |
 * | 3 | line feeds with anything but `{` behind them |
 */
export class Marks {
  /** Bytes of a block at most. */
  readonly capacity: number;
  /** The block's place; behind it is room to read on. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly words: Int32Array;
  readonly #find: (from: number, to: number, out: number) => void;

  constructor(capacity: number, simd = true) {
    this.capacity = capacity;
    const out = Math.ceil(capacity / 32) * 32 + 64;
    const memory = new wasm.Memory({ initial: Math.ceil((out * 1.5 + 64) / 65_536) });
    this.bytes = new Uint8Array(memory.buffer, 0, out);
    this.view = new DataView(memory.buffer, 0, out);
    this.words = new Int32Array(memory.buffer, out);
    this.#find = (simd ? compile(memory) : undefined) ?? ((_, to) => findOneByOne(this.bytes, to, this.words));
  }

  /** Fills the words for the first `length` bytes; bits behind them are zero. */
  mark(length: number): void {
    this.bytes.fill(0, length, length + 64);
    this.#find(0, length, this.words.byteOffset);
  }
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** What is used of it; the types of Node leave it out. */
interface Wasm {
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>) => { readonly exports: Readonly<Record<string, unknown>> };
  validate(code: Uint8Array): boolean;
}

const wasm: Wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;

const quote = 0x22, backslash = 0x5c, lineFeed = 0x0a, comma = 0x2c, bracket = 0x5d, openBrace = 0x7b, brace = 0x7d, space = 0x20;

function findOneByOne(bytes: Uint8Array, length: number, words: Int32Array): void {
  for (let base = 0, out = 0; base < length; base += 32, out += 4) {
    let ends = 0, quotes = 0, strange = 0, feeds = 0;
    for (let bit = 0; bit < 32; bit++) {
      const byte = bytes[base + bit] as number, next = bytes[base + bit + 1] as number;
      if (byte === quote) {
        quotes |= 1 << bit;
        if (next <= space || next === comma || next === bracket || next === brace) ends |= 1 << bit;
      } else if (byte === lineFeed) {
        if (next !== openBrace) feeds |= 1 << bit;
      } else if (byte === backslash || byte > 0x7f) strange |= 1 << bit;
    }
    words[out] = ends;
    words[out + 1] = quotes;
    words[out + 2] = strange;
    words[out + 3] = feeds;
  }
}

type Code = readonly number[];

/** The same as {@link findOneByOne}, as a WebAssembly module; undefined where it does not run. Opcodes: WebAssembly core specification 2.0, §5.4. */
function compile(memory: Memory): ((from: number, to: number, out: number) => void) | undefined {
  const get = (local: number): Code => [0x20, local];
  const set = (local: number): Code => [0x21, local];
  const constant = (value: number): Code => [0x41, ...signed(value)];
  const [add, shiftLeft, or, lessUnsigned] = [[0x6a], [0x74], [0x72], [0x49]] as const;
  const load = (offset: number): Code => [0xfd, 0x00, 0, ...unsigned(offset)];
  const store = (offset: number): Code => [0x36, 2, ...unsigned(offset)];
  const [splat, equal, lessOrEqualUnsigned, and128, or128, andNot128, bitmask] = [[0xfd, 0x0f], [0xfd, 0x23], [0xfd, 0x2a], [0xfd, 0x4e], [0xfd, 0x50], [0xfd, 0x4f], [0xfd, 0x64]] as const;

  const [from, to, out, half, next] = [0, 1, 2, 3, 4];
  const all = (byte: number): Code => [...constant(byte), ...splat];
  const is = (local: number, byte: number): Code => [...get(local), ...all(byte), ...equal];
  // `]` and `}` differ in one bit.
  const ends = [
    ...is(half, quote), ...get(next), ...all(space), ...lessOrEqualUnsigned, ...is(next, comma), ...or128,
    ...get(next), ...all(0x20), ...or128, ...all(brace), ...equal, ...or128, ...and128,
  ];
  const kinds = [ends, is(half, quote), [...is(half, backslash), ...get(half), ...or128], [...is(half, lineFeed), ...is(next, openBrace), ...andNot128]];
  const bits = (offset: number, kind: Code): Code => [
    ...get(from), ...load(offset), ...set(half), ...get(from), ...load(offset + 1), ...set(next), ...kind, ...bitmask,
  ];
  const loop = [
    0x03, 0x40,
    ...kinds.flatMap((kind, word) => [...get(out), ...bits(0, kind), ...bits(16, kind), ...constant(16), ...shiftLeft, ...or, ...store(word * 4)]),
    ...get(out), ...constant(16), ...add, ...set(out), ...get(from), ...constant(32), ...add, ...set(from),
    ...get(from), ...get(to), ...lessUnsigned, 0x0d, 0, 0x0b,
  ];
  const body = [1, 2, 0x7b, ...loop, 0x0b];
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const bytes = Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    ...section(1, [1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0]),
    ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
  if (!wasm.validate(bytes)) return undefined;
  const { exports } = new wasm.Instance(new wasm.Module(bytes), { m: { m: memory } });
  return exports["f"] as (from: number, to: number, out: number) => void;
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
