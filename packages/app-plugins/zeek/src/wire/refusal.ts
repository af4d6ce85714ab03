/** What the codecs of this folder throw, and all they throw: bytes or values that are not what they should be. */
export class WireRefused extends Error {}

export function refuse(problem: string): never {
  throw new WireRefused(problem);
}
