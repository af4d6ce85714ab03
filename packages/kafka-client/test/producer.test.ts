import { systemClock } from "@threatbus/core";
import { expect, onTestFinished, test } from "vitest";
import type { Driver, OutgoingRecord } from "../src/contract.ts";
import type { FaultKind } from "../src/faults.ts";
import { Producer } from "../src/producer.ts";

const record: OutgoingRecord = { topic: "t", key: "k", value: Buffer.from("v"), headers: {} };
const refused = (type: string): Error => Object.assign(new Error(type), { type });

/** A cluster that answers connections and batches with these, one after the other, and then with yes. */
function cluster(connections: (Error | undefined)[], batches: (Error | undefined)[]): { readonly producer: Producer; readonly sent: OutgoingRecord[][]; readonly told: (FaultKind | undefined)[] } {
  const sent: OutgoingRecord[][] = [];
  const told: (FaultKind | undefined)[] = [];
  const answer = async (answers: (Error | undefined)[]): Promise<void> => {
    const no = answers.shift();
    if (no !== undefined) throw no;
  };
  const driver = {
    producer: () => ({
      connect: () => answer(connections),
      async send(records: OutgoingRecord[]) {
        await answer(batches);
        sent.push([...records]);
      },
      close: async () => undefined,
    }),
  } as unknown as Driver;
  const producer = new Producer({ driver, clock: { ...systemClock, sleep: async () => undefined }, onState: (fault) => void told.push(fault?.kind) });
  onTestFinished(() => producer.close());
  return { producer, sent, told };
}

test("a login or a certificate that is not taken any more fails no batch: it is sent when it is taken again", async () => {
  const expired = Object.assign(new Error("certificate has expired"), { code: "CERT_HAS_EXPIRED" });
  const { producer, sent, told } = cluster([undefined, refused("SASL_AUTHENTICATION_FAILED"), expired], [new Error("the broker closed the connection"), refused("OUT_OF_ORDER_SEQUENCE_NUMBER")]);
  await producer.send([record]);
  expect(sent).toEqual([[record]]);
  expect(told).toEqual(["away", "confused", "locked_out", "locked_out", undefined]);
});

test.each(["TOPIC_AUTHORIZATION_FAILED", "MESSAGE_TOO_LARGE", "UNKNOWN_TOPIC_OR_PARTITION"])("%s is the batch's own, and told", async (type) => {
  const { producer, sent } = cluster([], [refused(type)]);
  await expect(producer.send([record])).rejects.toMatchObject({ name: "KafkaFault", message: type });
  await producer.send([record]);
  expect(sent).toEqual([[record]]);
});
