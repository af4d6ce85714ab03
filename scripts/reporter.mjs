/** A line per test file as it ends, what failed in full, and the totals as the last line. */
export default class Reporter {
  #failures = [];
  #counts = { passed: 0, failed: 0, skipped: 0 };

  onTestModuleEnd(module) {
    const tests = [...module.children.allTests()];
    const of = (state) => tests.filter((test) => test.result().state === state);
    for (const state of ["passed", "failed", "skipped"]) this.#counts[state] += of(state).length;
    const errors = module.errors();
    if (errors.length > 0) this.#counts.failed++;
    this.#failures.push(...of("failed").map((test) => ({ where: `${module.project.name} > ${test.fullName}`, errors: test.result().errors })));
    if (errors.length > 0) this.#failures.push({ where: `${module.project.name} ${module.relativeModuleId ?? module.moduleId}`, errors });
    const bad = of("failed").length + (errors.length > 0 ? 1 : 0);
    const took = Math.round(module.diagnostic().duration);
    this.#line(`${bad === 0 ? "ok  " : "FAIL"} ${module.project.name.padEnd(16)} ${(module.relativeModuleId ?? module.moduleId).split("/").at(-1).padEnd(34)} ${String(tests.length).padStart(4)} tests ${String(took).padStart(6)} ms`);
    for (const test of of("skipped")) this.#line(`     skipped: ${test.fullName}`);
  }

  onTestRunEnd(_modules, unhandled) {
    for (const { where, errors } of this.#failures) {
      this.#line(`\nFAILED ${where}`);
      for (const error of errors) this.#line(error.stack ?? error.message);
      for (const error of errors) if (error.diff) this.#line(error.diff);
    }
    for (const error of unhandled) this.#line(`\nUNHANDLED ${error.stack ?? error.message}`);
    const { passed, failed, skipped } = this.#counts;
    this.#line(`\n${passed} passed, ${failed + unhandled.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  }

  #line(text) {
    process.stdout.write(`${text}\n`);
  }
}
