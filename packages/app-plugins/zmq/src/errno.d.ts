/** The code of an error of the operating system or of ZeroMQ, e.g. `EADDRINUSE`. */
export declare function codeOf(thrown: unknown): string;
