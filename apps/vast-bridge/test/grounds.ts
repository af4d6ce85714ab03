/** What a test with real processes has of its own: importing this makes both anew before each test, and clears them away behind it. */
import { afterEach, beforeEach } from "vitest";
import { Site } from "./program.ts";
import { StandIn } from "./stand-in.ts";

export let site: Site, vast: StandIn;
beforeEach(async () => {
  site = await Site.make();
  vast = new StandIn();
});
afterEach(async () => {
  await site.clean();
  vast.clean();
});
