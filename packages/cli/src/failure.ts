import { fail as failAs } from "@threatbus/program";

/** Tells it on standard error, unless told already, and sets the exit code. The process ends when nothing is left to do. */
export function fail(thrown: unknown, told: boolean = false): void {
  failAs(thrown, "threatbus", told);
}
