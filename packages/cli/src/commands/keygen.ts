import type { Command } from "commander";
import { reasonOf } from "@threatbus/core";
import { exitCodes, UserError } from "@threatbus/program";

/** `keygen FILE` */
export function addKeygen(program: Command): void {
  program
    .command("keygen")
    .argument("<file>", "where to write the pair; only its owner may read it")
    .summary("make a CURVE key pair for encrypted connections")
    .description(
      "Writes a new pair of CURVE keys to a file with mode 0600, in the format of CZMQ certificates, and prints the public key.\n" +
        "The bus's file goes into plugins.apps.zmq.curve.secret_key_file; the public keys of apps, one a line, into authorized_keys_file.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ threatbus keygen bus.key\n  $ threatbus keygen me.key >> authorized_keys\n  $ threatbus tail --key-file me.key --server-key '<the public key of the bus>'",
    )
    .action(async (file: string) => {
      const { createKeyFile } = await import("@threatbus/zmq");
      const publicKey = await createKeyFile(file).catch((error: unknown) => {
        const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
        throw new UserError(exitCodes.cannotCreate, exists ? `${file} is there already` : `${file} cannot be written: ${reasonOf(error)}`, exists ? "a key is never overwritten: take it away first" : undefined);
      });
      process.stdout.write(`${publicKey}\n`);
    });
}
