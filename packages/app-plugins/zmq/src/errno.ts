/** The code of an error of the operating system or of ZeroMQ, e.g. `EADDRINUSE`. */
export function codeOf(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : "unknown";
}
