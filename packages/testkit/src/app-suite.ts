import { patienceOf, type AppSubject } from "./app-subject.ts";
import { appTests } from "./app-tests.ts";
import { register } from "./suite.ts";

/** Registers the tests every app has to pass. */
export function appSuite(subject: AppSubject): void {
  register("app contract", appTests, subject, patienceOf(subject) * 4);
}
