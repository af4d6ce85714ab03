import { limitsOf, type BackboneSubject } from "./backbone-subject.ts";
import { backboneTests } from "./backbone-tests.ts";
import { register } from "./suite.ts";

/** Registers the tests every backbone has to pass. */
export function backboneSuite(subject: BackboneSubject): void {
  const { patience } = limitsOf(subject);
  register("backbone contract", backboneTests, subject, patience * 3);
}
