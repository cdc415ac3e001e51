// What a person feels of a page, as the browser itself counts it: when it was painted, what moved, how long a press took.
import type { CDPSession, Page } from "@playwright/test";
import { expect } from "./console.ts";

/** How long a press may take until the page is painted anew, on a processor a quarter as fast. */
const INP_MS = 150;

/** As people type: slowly enough that news come between the keys. */
export const TYPING = { delay: 180 };

export interface Vitals {
  lcp: number;
  cls: number;
  inp: number;
  interactions: number;
  /** The slowest press, for whoever has to mend it. */
  slowest: string;
  /** What moved, for whoever has to mend it. */
  shifted: string[];
}

/** Counts before the page's own first line runs. */
export async function observe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const vitals = { lcp: 0, cls: 0, inp: 0, interactions: 0, slowest: "", shifted: [] as string[] };
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
      const press = entry as PerformanceEventTiming & { interactionId?: number };
      if (!press.interactionId) return;
      vitals.interactions += 1;
      if (press.duration <= vitals.inp) return;
      const [waits, works] = [press.processingStart - press.startTime, press.processingEnd - press.processingStart];
      vitals.inp = press.duration;
      vitals.slowest = `${press.name} ${vitals.interactions}: ${Math.round(waits)} ms waiting, ${Math.round(works)} ms at work`;
    };
    on("event", delay, { durationThreshold: 16 });
    on("first-input", delay);
  });
}

export const read = (page: Page): Promise<Vitals> => page.evaluate(() => (window as unknown as { vitals: Vitals }).vitals);

/** Makes the processor a quarter as fast for this page. */
export async function slowProcessor(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  return session;
}

/** How long the slowest of the presses so far took until the page had been painted anew. */
export async function answered(page: Page, where: string): Promise<void> {
  // The browser tells of a press with the next paint after it; those that took less than 16 ms it does not tell at all.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200))));
  const { inp, interactions, slowest } = await read(page);
  console.log(`vitals of ${where}: ${interactions} presses took 16 ms or more, the slowest ${inp} ms (${slowest})`);
  // A press takes as long as the machine lets it: the limit holds where the spec has the machine to itself.
  if (process.env.VT_LAB) expect(inp, where).toBeLessThanOrEqual(INP_MS);
}

/** Unfolds something, and looks for a word in the palette. */
export async function unfoldAndSearch(page: Page, word: string): Promise<void> {
  await page.locator("summary").first().click();
  await page.keyboard.press("Control+k");
  await page.keyboard.type(word, TYPING);
  await page.keyboard.press("Escape");
}
