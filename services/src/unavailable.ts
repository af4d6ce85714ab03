/** A broker that cannot be had on this machine; the message is the reason, in words. Everything else that goes wrong is a failure. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/** What keeps `attempt` from succeeding, if it is that the machine has not what it takes. */
export async function reasonAgainst(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Unavailable) return thrown.message;
    throw thrown;
  }
}
