import { message, reasonOf } from "@threatbus/core";
import type { App, Bus, Host, Message } from "@threatbus/core";
import { accountOf } from "./account.ts";
import type { Account, FrameSkip } from "./account.ts";
import { decode } from "./decode/decode.ts";
import { filterOf } from "./filter/filter.ts";
import { watchLiveness } from "./liveness.ts";
import type { Liveness } from "./liveness.ts";
import type { MispOptions } from "./options.ts";
import { attributeTopic, heartbeatTopic, receive, splitFrame } from "./receive.ts";
import { decide } from "./relay/relay.ts";
import type { Policy, Update } from "./relay/relay.ts";
import { openState } from "./state/state.ts";
import type { SentStore } from "./state/state.ts";

/** Unmapped types that are logged, each once: their names come from outside. */
const mostTypes = 500;

interface Outgoing {
  readonly update: Update | "ADD";
  readonly message: Message;
}

/** Listens to one MISP and publishes its attributes as indicators, one frame after the other so that their order stays. */
export function createMisp(options: MispOptions, host: Host): App {
  const { logger } = host;
  const ended = new AbortController();
  const surroundings = { logger, clock: host.clock, signal: AbortSignal.any([host.signal, ended.signal]) };
  const policy: Policy = { passes: filterOf(options), mapping: options, published_only: options.published_only };
  let store: SentStore | undefined;
  const unmapped = new Set<string>();
  let running: Promise<void> = Promise.resolve();
  let failing = false;

  return {
    async start(bus) {
      if (options.api !== undefined) logger.warn("the api option is not used yet by this version: no snapshots, and sightings are not reported to MISP");
      const remembered = (store = await openState(options.state, surroundings));
      running = listen(bus, remembered, accountOf(host.metrics), watchLiveness(surroundings)).catch((thrown: unknown) => {
        logger.error("the MISP receiver ended", { error: thrown });
      });
      host.metrics.gauge("misp_attributes_remembered", () => remembered.size);
      host.metrics.gauge("misp_memory_bytes", () => remembered.memoryBytes);
      host.metrics.gauge("misp_disk_bytes", () => remembered.diskBytes);
    },
    async stop() {
      ended.abort();
      await running;
      await store?.close();
    },
  };

  async function listen(bus: Bus, remembered: SentStore, account: Account, liveness: Liveness): Promise<void> {
    for await (const frame of receive(options.zmq, surroundings)) {
      account.received();
      for (const outgoing of translate(frame, remembered, account, liveness)) await publish(bus, outgoing, account);
    }
  }

  /** The messages a frame makes; it is in the account when this returns. */
  function translate(frame: Uint8Array, remembered: SentStore, account: Account, liveness: Liveness): readonly Outgoing[] {
    const cut = splitFrame(frame);
    liveness.heard(cut?.topic);
    if (cut === undefined) return refuse("frame");
    if (cut.topic !== attributeTopic) return skip(cut.topic === heartbeatTopic ? "heartbeat" : "topic");

    const decoded = decode(cut.payload);
    if (!decoded.ok) return refuse(decoded.reason);
    if (decoded.message.kind !== "attribute") return refuse("shape");
    const { attribute } = decoded.message;
    try {
      const [decision] = decide(decoded.message, remembered, policy);
      if (decision?.outcome !== "mapped") {
        if (decision?.reason === "type") tellUnmapped(attribute.type);
        if (decision?.sent !== undefined) remembered.set(attribute.uuid, decision.sent);
        return skip(decision?.reason ?? "topic");
      }
      const outgoing = decision.indicators.map((indicator): Outgoing => ({ update: indicator.x_threatbus_update ?? "ADD", message: message(indicator) }));
      remembered.set(attribute.uuid, decision.sent);
      account.mapped();
      return outgoing;
    } catch (thrown) {
      logger.warn("an indicator did not pass the bus's check", { attribute: attribute.uuid, reason: reasonOf(thrown) });
      return refuse("indicator");
    }

    function refuse(reason: Parameters<Account["refused"]>[0]): readonly Outgoing[] {
      account.refused(reason);
      logger.debug("frame from MISP refused", { reason, bytes: frame.length });
      return [];
    }
    function skip(reason: FrameSkip): readonly Outgoing[] {
      account.skipped(reason);
      return [];
    }
  }

  function tellUnmapped(type: string): void {
    if (unmapped.has(type) || unmapped.size >= mostTypes) return;
    unmapped.add(type);
    logger.info("attributes of this MISP type are skipped: there is no mapping to an indicator", { type: type.slice(0, 100) });
  }

  async function publish(bus: Bus, { update, message: made }: Outgoing, account: Account): Promise<void> {
    try {
      await bus.publish(made);
      account.published(update);
      failing = false;
    } catch (thrown) {
      account.failed();
      if (!failing) logger.error("the bus does not take indicators", { error: reasonOf(thrown) });
      failing = true;
    }
  }
}
