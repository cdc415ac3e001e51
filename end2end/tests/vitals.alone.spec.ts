// What a person on a slow laptop and a slow line feels: the page is there soon, does not jump, and answers at once.
import type { CDPSession, Page } from "@playwright/test";
import { awake, end, expect, test } from "../support/console.ts";
import { startServer } from "../support/server.ts";
import { apply, envOf, signIn } from "../support/vt.ts";

/** The product's limits; the line is 10 Mbit/s and 40 ms away, the processor a quarter as fast. */
const LIMITS = { lcp_ms: 1_500, cls: 0.02, inp_ms: 150 };
const LINE = { offline: false, latency: 40, downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8 };

/** How long a page is watched while news arrive. */
const WATCH_MS = 60_000;

/** As people type: slowly enough that news come between the keys. */
const TYPING = { delay: 180 };

// Playwright's own record of a test copies the whole page at every step, in the thread that answers presses.
test.use({ trace: "off" });

interface Vitals {
  lcp: number;
  cls: number;
  inp: number;
  interactions: number;
  /** What moved, for whoever has to mend it. */
  shifted: string[];
}

/** Counts before the page's own first line runs. */
async function observe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const vitals = { lcp: 0, cls: 0, inp: 0, interactions: 0, shifted: [] as string[] };
    Object.assign(window, { vitals });
    const on = (type: string, use: (entry: PerformanceEntry) => void, options = {}) =>
      new PerformanceObserver((list) => list.getEntries().forEach(use)).observe({ type, buffered: true, ...options });
    on("largest-contentful-paint", (entry) => (vitals.lcp = entry.startTime));
    on("layout-shift", (entry) => {
      const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node: Node | null }[] };
      if (shift.hadRecentInput) return;
      vitals.cls += shift.value;
      const what = shift.sources.map(({ node }) => (node instanceof Element ? node : node?.parentElement)?.className ?? "gone");
      vitals.shifted.push(`${shift.value.toFixed(4)} after ${Math.round(shift.startTime)} ms: ${what.join(", ")}`);
    });
    const delay = (entry: PerformanceEntry) => {
      const { interactionId } = entry as PerformanceEntry & { interactionId?: number };
      if (!interactionId) return;
      vitals.interactions += 1;
      vitals.inp = Math.max(vitals.inp, entry.duration);
    };
    on("event", delay, { durationThreshold: 16 });
    on("first-input", delay);
  });
}

const read = (page: Page): Promise<Vitals> => page.evaluate(() => (window as unknown as { vitals: Vitals }).vitals);

async function slow(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  await session.send("Network.emulateNetworkConditions", LINE);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  return session;
}

/** How long the slowest of the presses so far took until the page had been painted anew. */
async function answered(page: Page, where: string): Promise<void> {
  // The browser tells of a press with the next paint after it; those that took less than 16 ms it does not tell at all.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200))));
  const { inp, interactions } = await read(page);
  console.log(`vitals of ${where}: ${interactions} presses took 16 ms or more, the slowest ${inp} ms`);
  // A press takes as long as the machine lets it: the limit holds where the spec has the machine to itself.
  if (process.env.VT_LAB) expect(inp, where).toBeLessThanOrEqual(LIMITS.inp_ms);
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
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    await page.locator("summary").first().click();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("vital", TYPING);
    await page.keyboard.press("Escape");
    await answered(page, "the overview");
    await page.goto(`${server.url}${(await envOf(server, "vital")).path}`);
    await awake(page);
    await page.keyboard.press("2");
    await page.locator("summary").first().click();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("vital", TYPING);
    await page.keyboard.press("Escape");
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
