import { createBus, silentLogger, systemClock, type App, type Clock, type ConfiguredApp, type ThreatBus } from "@threatbus/core";
import { patienceOf, type AppSubject } from "./app-subject.ts";
import { fakeHost, type FakeHost } from "./host.ts";
import { loopback } from "./loopback.ts";
import { within } from "./suite.ts";

/** One app, not yet started, beside a running bus. */
export interface AppStand {
  readonly configured: ConfiguredApp;
  readonly app: App;
  readonly host: FakeHost<Clock>;
  readonly bus: ThreatBus;
  start(): Promise<void>;
  /** Fires the stop signal, then stops the app. */
  stop(): Promise<void>;
}

export type OpenApp = (configured?: ConfiguredApp) => Promise<AppStand>;

/** Starts the peer, runs `body` with as many stands as it opens, and stops everything whatever happens. */
export async function withApps(subject: AppSubject, body: (open: OpenApp) => Promise<void>): Promise<void> {
  const patience = patienceOf(subject);
  const peer = await subject.peer?.();
  const stands: AppStand[] = [];
  try {
    await body(async (configured) => {
      const stand = await openApp(configured ?? (await subject.create()), patience);
      stands.push(stand);
      return stand;
    });
  } finally {
    await Promise.allSettled(stands.map((stand) => stand.stop()));
    await Promise.allSettled(stands.map(({ bus }) => within(bus.stop(), patience, "stop of a bus")));
    await peer?.stop();
  }
}

async function openApp(configured: ConfiguredApp, patience: number): Promise<AppStand> {
  const host = fakeHost({ name: configured.name, clock: systemClock });
  const app = configured.create(host);
  const bus = createBus({ backbones: [loopback()], logger: silentLogger });
  await bus.start();
  return {
    configured,
    app,
    host,
    bus,
    start: () => within(app.start(bus), patience, "start"),
    stop() {
      host.stopping.abort();
      return within(app.stop(), patience, "stop");
    },
  };
}

/** A whole bus with the app in it. */
export function busWith(configured: ConfiguredApp): ThreatBus {
  return createBus({ backbones: [loopback()], apps: [configured], logger: silentLogger });
}
