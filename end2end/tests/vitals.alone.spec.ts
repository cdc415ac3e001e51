// What a person on a slow laptop and a slow line feels: the page is there soon, does not jump, and answers at once.
import type { Page } from "@playwright/test";
import { awake, end, expect, test } from "../support/console.ts";
import { startServer } from "../support/server.ts";
import { answered, observe, read, slowProcessor, TYPING, unfoldAndSearch } from "../support/vitals.ts";
import { apply, envOf, signIn } from "../support/vt.ts";

/** The product's limits; the line is 10 Mbit/s and 40 ms away, the processor a quarter as fast. */
const LIMITS = { lcp_ms: 1_500, cls: 0.02 };
const LINE = { offline: false, latency: 40, downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8 };

/** How long a page is watched while news arrive. */
const WATCH_MS = 60_000;

// Playwright's own record of a test copies the whole page at every step, in the thread that answers presses.
test.use({ trace: "off" });

async function slow(page: Page): Promise<void> {
  const session = await slowProcessor(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  await session.send("Network.emulateNetworkConditions", LINE);
}

test("the overview and a stuck app paint soon, stay where they are while news arrive, and answer at once", async ({ page }) => {
  test.skip(process.env.VT_SITE_FLAVOUR === "dev", "the development build is not what people load");
  test.setTimeout(300_000);
  const server = await startServer();
  try {
    await apply(server, "calm", "healthy", true);
    await apply(server, "vital", "crash-at-start");
    await expect.poll(async () => (await envOf(server, "vital")).verdict, { timeout: 60_000 }).toBe("stuck");
    await signIn(page, server);
    await observe(page);
    await slow(page);
    for (const path of ["/", (await envOf(server, "vital")).path]) {
      await page.goto(`${server.url}${path}`);
      await awake(page);
      // News come all the time: attempts, sentences, events, times. A row that changes its group is another thing: it
      // moves what is below it, and waits for that until nobody points at the list (still.hydrate.spec.ts).
      await page.waitForTimeout(WATCH_MS);
      const { lcp, cls, shifted } = await read(page);
      console.log(`vitals of ${path}: largest paint after ${Math.round(lcp)} ms, shifted ${cls.toFixed(4)}`);
      expect(lcp, `${path} was painted`).toBeGreaterThan(0);
      expect(lcp, path).toBeLessThanOrEqual(LIMITS.lcp_ms);
      expect(cls, `${path}\n${shifted.join("\n")}`).toBeLessThanOrEqual(LIMITS.cls);
    }

    // Selecting, expanding, the palette, typing: everything that answers without a page load.
    await page.goto(`${server.url}/`);
    await awake(page);
    await page.keyboard.press("j");
    await unfoldAndSearch(page, "vital");
    await answered(page, "the overview");
    await page.goto(`${server.url}${(await envOf(server, "vital")).path}`);
    await awake(page);
    await page.keyboard.press("2");
    await unfoldAndSearch(page, "vital");
    await answered(page, "the stuck app");
    await page.goto(`${server.url}/events`);
    await awake(page);
    await page.getByRole("searchbox", { name: "Text in events" }).click();
    await page.keyboard.type("exited with code 1", TYPING);
    await answered(page, "the events");
  } finally {
    await end(page, server);
  }
});
