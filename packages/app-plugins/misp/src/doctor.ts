import { isThreatbusError, reasonOf, silentLogger } from "@threatbus/core";
import type { Clock, Finding } from "@threatbus/core";
import { faultOf, readProperties, readTls } from "@threatbus/kafka-client";
import { switchOf } from "./liveness.ts";
import type { ApiOptions, KafkaOptions, MispOptions, ZmqOptions } from "./options.ts";
import { heartbeatTopic, receive, splitFrame } from "./receive.ts";
import { loadKafka } from "./receive-kafka.ts";
import { openClient } from "./rest/api.ts";
import { RestFault } from "./rest/fault.ts";
import { searchAttributes } from "./rest/search.ts";
import { askVersion } from "./rest/version.ts";

type Findings = AsyncGenerator<Finding, void, undefined>;

/** Looks at the API and the feed as the app would use them. Takes nothing: it reads one attribute, and listens. */
export async function* probe(options: MispOptions, clock: Clock, signal: AbortSignal): Findings {
  if (options.api === undefined) yield { status: "warning", text: "no api is configured: no history, no tags of events, no sightings to MISP, and nothing of what the feed misses", hint: "set api.host and api.key" };
  else yield* guarded(api(options.api, options.sightings.report, clock, signal));
  if (options.zmq !== undefined) yield* guarded(zmq(options.zmq, clock, signal));
  else if (options.kafka !== undefined) yield* guarded(kafka(options.kafka));
  else yield { status: "warning", text: `there is no feed: MISP is asked every ${options.api?.poll_interval} s what changed`, hint: "configure zmq or kafka to hear of it at once" };
}

async function* guarded(findings: Findings): Findings {
  try {
    yield* findings;
  } catch (thrown) {
    const hint = thrown instanceof RestFault || isThreatbusError(thrown) ? thrown.hint : undefined;
    yield { status: "problem", text: reasonOf(thrown), ...(hint !== undefined && { hint }) };
  }
}

async function* api(options: ApiOptions, reports: boolean, clock: Clock, signal: AbortSignal): Findings {
  if (!options.ssl) yield { status: "warning", text: "MISP's certificate is not checked", hint: "set api.ssl: true, and api.ca_file for an authority of your own" };
  const client = await openClient(options, clock);
  try {
    const { version, maySight, keyExpires } = await askVersion(client, signal);
    yield { status: "ok", text: `MISP ${version} at ${client.origin} answers, and takes the key` };
    if (keyExpires !== undefined) yield { status: "warning", text: `the key expires: ${keyExpires}`, hint: "make a new one in MISP before" };
    if (reports && maySight === false) yield { status: "problem", text: "the key's user may not add sightings", hint: "give the user's role the right perm_sighting, or set sightings.report: false" };
    else if (reports) yield { status: "ok", text: maySight === true ? "the key's user may add sightings" : "this MISP does not say whether the key's user may add sightings" };
    for await (const rows of searchAttributes(client, { to_ids: 1 }, { limit: 2, signal, ask: (call) => call() })) {
      yield rows.length > 0
        ? { status: "ok", text: "the key's user may search, and sees attributes for detection (to_ids)" }
        : { status: "warning", text: "the key's user sees no attribute for detection (to_ids)", hint: "is there one that its organisation may see?" };
      return;
    }
    yield { status: "warning", text: "the key's user sees no attribute for detection (to_ids)", hint: "is there one that its organisation may see?" };
  } finally {
    client.close();
  }
}

async function* zmq(options: ZmqOptions, clock: Clock, signal: AbortSignal): Findings {
  const end = new AbortController();
  const over = AbortSignal.any([signal, end.signal]);
  const endpoint = `${options.host}:${options.port}`;
  const heard: string[] = [];
  let answers: (how: "connected" | "refused") => void = () => undefined;
  const answer = new Promise<Parameters<typeof answers>[0]>((resolve) => (answers = resolve));
  const take = (frame: Uint8Array): undefined => {
    answers("connected");
    heard.push(splitFrame(frame)?.topic ?? "");
    end.abort();
  };
  const listening = receive(options, { logger: silentLogger, clock, signal: over }, take, (state) => {
    if (state === "connected" || state === "refused") answers(state);
  });
  try {
    const how = await Promise.race([answer, listening.then(() => "silent")]);
    if (how === "refused") return yield { status: "problem", text: `MISP's publisher at ${endpoint} refuses zmq.username and zmq.password`, hint: "they are Plugin.ZeroMQ_username and Plugin.ZeroMQ_password of MISP" };
    if (how === "silent") return yield { status: "problem", text: `nothing that speaks ZeroMQ answers at ${endpoint}`, hint: "is Plugin.ZeroMQ_enable on, does Plugin.ZeroMQ_host let others in, and no firewall stand between?" };
    yield { status: "ok", text: `MISP's publisher at ${endpoint} lets us in` };
    await listening;
  } finally {
    end.abort();
    await listening;
  }
  const switches = options.topics.map(switchOf).join(", ");
  if (heard.length === 0) yield { status: "problem", text: "nothing came from it, not even a sign of life", hint: `wait for longer than 10 s (--wait); else look whether mispzmq runs (MISP: Administration, Diagnostics), and whether these are on: ${switches}` };
  else if (heard[0] === heartbeatTopic) yield { status: "ok", text: "its sign of life came, and no message meanwhile", hint: `for messages, these must be on in MISP: ${switches}` };
  else yield { status: "ok", text: `a message came: ${heard[0]}` };
}

async function* kafka({ topics, config }: KafkaOptions): Findings {
  const { kafkajsDriver } = await loadKafka();
  const { connection, tls } = readProperties(config).properties;
  const driver = kafkajsDriver(tls === undefined ? connection : { ...connection, tls: await readTls(tls) }, () => undefined);
  try {
    const admin = await driver.admin();
    yield { status: "ok", text: `Kafka at ${connection.brokers.join(", ")} answers` };
    const there = await admin.topics().finally(() => admin.close());
    for (const topic of topics) {
      yield there.includes(topic)
        ? { status: "ok", text: `the topic ${topic} is there` }
        : { status: "problem", text: `there is no topic ${topic}`, hint: "MISP writes to it when Plugin.Kafka_enable, its Plugin.Kafka_…_notifications_enable and Plugin.Kafka_…_topic are set" };
    }
  } catch (thrown) {
    const { message, hint } = faultOf(thrown);
    yield { status: "problem", text: message, ...(hint !== undefined && { hint }) };
  } finally {
    driver.close();
  }
}
