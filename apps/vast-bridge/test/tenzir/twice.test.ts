import fc from "fast-check";
import { expect, it } from "vitest";
import { Twice } from "../../src/engines/tenzir/twice.ts";

it("lets through each line as often as the source that has it more often", () => {
  const steps = fc.array(fc.record({ source: fc.constantFrom(0 as const, 1 as const), line: fc.constantFrom("a", "b", "c") }));
  fc.assert(
    fc.property(steps, (given) => {
      const twice = new Twice();
      const through = given.filter(({ source, line }) => !twice.isSecond(source, line));
      for (const line of ["a", "b", "c"]) {
        const times = (source: number): number => given.filter((each) => each.source === source && each.line === line).length;
        expect(through.filter((each) => each.line === line)).toHaveLength(Math.max(times(0), times(1)));
      }
    }),
  );
});
