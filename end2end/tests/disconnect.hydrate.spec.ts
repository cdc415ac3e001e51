// A page that has lost the server says so, says since when, lets nobody act on what may be old, and misses nothing
// of what happened meanwhile.
import type { Page } from "@playwright/test";
import { awake, end, expect, test } from "../support/console.ts";
import { startServer } from "../support/server.ts";
import { apply, envOf, sequences, signIn, vt } from "../support/vt.ts";

const fresh = (page: Page) => page.locator(".live .fresh");
/** What a page adds to what a source was when it was last heard. */
const addition = (page: Page) =>
  page.locator(".sources .fresh").first().evaluate((source) => getComputedStyle(source, "::after").content);

/** Sequences in the page's list, oldest first. */
const listed = (page: Page) =>
  page.locator("article.event").evaluateAll((rows) => rows.map((row) => Number(row.id.replace("ev_", ""))).reverse());

test("a lost server is delayed, then disconnected with its last time, and blocks actions until it is back", async ({
  context,
  page,
  complaints,
}) => {
  test.setTimeout(150_000);
  const server = await startServer();
  try {
    await apply(server, "lighthouse", "healthy", true);
    await signIn(page, server);
    const events = await context.newPage();
    await events.goto(`${server.url}/events?group=0&from=-1h`);
    await page.goto(`${server.url}${(await envOf(server, "lighthouse")).path}`);
    const overview = await context.newPage();
    await overview.goto(server.url);
    for (const reader of [page, events, overview]) {
      await awake(reader);
      await expect(fresh(reader)).toHaveAttribute("data-fresh", "live");
    }
    expect(await addition(overview)).toBe("none");
    const scale = page.locator('.action[data-verb="scale"]').first();
    await expect(scale.locator("a[href]")).toBeVisible();

    await server.kill();
    const lost = Date.now();
    await expect(fresh(page)).toHaveAttribute("data-fresh", "delayed", { timeout: 20_000 });
    await expect(fresh(page)).toHaveAttribute("data-fresh", "disconnected", { timeout: 50_000 - (Date.now() - lost) });
    await expect(fresh(page)).toHaveText(/^\s*Disconnected since \d\d:\d\d:\d\dZ\s*$/);
    await expect(page.locator(".bars")).toContainText(/Disconnected\s*since \d\d:\d\d/);
    await expect(page.locator(".bars")).toContainText("the last known state");
    await expect(scale.locator("a[href]")).toHaveCount(0);
    await expect(scale).toContainText("disconnected: what you see may be old");
    await expect(fresh(overview)).toHaveAttribute("data-fresh", "disconnected", { timeout: 50_000 });
    expect(await addition(overview), "nobody here knows whether the source still reports").toBe('"when last heard"');
    // Nobody is told that something does not exist by a search that could not look.
    await page.keyboard.press("Control+k");
    await page.keyboard.type("lighthouse");
    await expect(page.locator("#palette-note")).toHaveText("The server does not answer. What you look for may be there.");
    await page.keyboard.press("Escape");

    await server.restart();
    await page.getByRole("button", { name: "Retry now" }).click();
    await expect(fresh(page)).toHaveAttribute("data-fresh", "live", { timeout: 20_000 });
    await expect(page.locator(".bars")).not.toContainText("Disconnected");
    await expect(scale.locator("a[href]")).toBeVisible();
    await vt(server, "restart", "--app", "lighthouse", "--env", "prod", "--reason", "it is back", "--wait=30s");
    await expect(fresh(events)).toHaveAttribute("data-fresh", "live", { timeout: 40_000 });
    const truth = await sequences(server);
    // Once each, in order: neither a duplicate nor a hole.
    await expect.poll(() => listed(events), { timeout: 30_000 }).toEqual(await sequences(server));
    expect(new Set(truth).size).toBe(truth.length);
    // A socket that fails while the server is gone is reported by the browser itself; nothing else may be.
    expect(complaints.take().filter((line) => !/WebSocket|ERR_CONNECTION/.test(line))).toEqual([]);
  } finally {
    await end(page, server);
  }
});
