/** One row per code a script may see, as `threatbus help` prints them. */
export const exitCodeMeanings: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "done; the bus stopped with everything delivered"],
  ["1", "not done: the bus stopped with messages undelivered, a message was refused or not seen, or doctor found a problem"],
  ["64", "the command line is wrong"],
  ["66", "a file cannot be read"],
  ["69", "a port is taken, no bus answers, or a plugin could not start"],
  ["70", "a fault of the program or of a plugin ended it"],
  ["73", "a file cannot be written, or is there already"],
  ["78", "the configuration has problems"],
  ["130, 143", "ended by SIGINT, SIGTERM before it was done"],
];
