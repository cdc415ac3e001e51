// Nothing moves under the pointer, nor under the focus: what arrives meanwhile waits, is counted, and is
// shown as soon as the list is let go.
import type { Locator, Page } from "@playwright/test";
import { awake, end, expect, test } from "../support/console.ts";
import { startServer } from "../support/server.ts";
import { act, apply, signIn } from "../support/vt.ts";

const CHANGES = 20;
const slow = { timeout: 60_000 };

/** Counts what the server tells the page about its topic, from the next page on. */
function news(page: Page): { changes: number } {
  const told = { changes: 0 };
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const { frame } = JSON.parse(String(payload)) as { frame?: { state?: unknown; events?: unknown[] } };
      if (frame?.state) told.changes += 1;
      else told.changes += frame?.events?.length ?? 0;
    }),
  );
  return told;
}

/** Writes down every place that the element has had, in every frame of the screen. */
async function watch(element: Locator): Promise<() => Promise<number[]>> {
  const handle = await element.evaluateHandle((el) => {
    const ys = new Set<number>();
    const look = () => {
      ys.add(el.isConnected ? el.getBoundingClientRect().y : Number.NaN);
      requestAnimationFrame(look);
    };
    look();
    return ys;
  });
  return () => handle.evaluate((ys) => [...ys]);
}

const away = (page: Page) => page.mouse.move(2, 2);

for (const held of ["hovered", "focused"]) {
  test(`a ${held} row of the overview stands still while everything around it changes`, async ({ page }) => {
    test.setTimeout(150_000);
    // A fleet of its own: of more than twenty app-envs the quiet ones are folded away.
    const server = await startServer();
    try {
      const apps = [`${held}-a`, `${held}-b`, `${held}-c`];
      const [loud, other, quiet] = apps as [string, string, string];
      for (const app of apps) await apply(server, app, "healthy", true);
      await signIn(page, server);
      const told = news(page);
      await page.goto(`${server.url}/`);
      await awake(page);
      const of = (app: string) => page.locator("article.env-row", { hasText: `${app}/prod` });
      for (const app of apps) await expect(of(app)).toHaveAttribute("data-verdict", "converged");
      await expect(page.getByText("Live", { exact: true })).toBeVisible();

      // The last of them: whatever grows or goes above it would move it.
      const below = (await of(quiet).boundingBox())!.y > (await of(loud).boundingBox())!.y;
      const [row, moving] = below ? [of(quiet), loud] : [of(loud), quiet];
      if (held === "hovered") await row.hover();
      else await row.getByRole("link").first().focus();
      const id = await row.getAttribute("id");
      const places = await watch(page.locator(`#${id}`));
      const before = told.changes;

      await apply(server, moving, "crash-at-start");
      await act(server, other, "scale", { process: "web", instances: 2 });
      await expect.poll(() => told.changes - before, slow).toBeGreaterThanOrEqual(CHANGES);
      // Contents are new in the old place, and what would move is counted.
      await expect(of(moving)).toHaveAttribute("data-verdict", "stuck", slow);
      await expect(page.getByRole("button", { name: /changed: show/ })).toBeVisible();
      expect(await page.locator(`#attention article.env-row`, { hasText: `${moving}/prod` }).count()).toBe(0);
      expect(await places()).toHaveLength(1);
      await expect(row).toHaveAttribute("id", id!);

      if (held === "hovered") await away(page);
      else await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await expect(page.locator("#attention article.env-row", { hasText: `${moving}/prod` })).toBeVisible();
      await expect(page.getByRole("button", { name: /changed: show/ })).toHaveCount(0);
    } finally {
      await end(page, server);
    }
  });

  test(`a ${held} row of the events stands still while new ones arrive`, async ({ page, server }) => {
    test.setTimeout(120_000);
    const app = `${held}-events`;
    // High enough that reaching a row does not scroll: a scrolled list waits for its reader.
    await page.setViewportSize({ width: 1280, height: 1400 });
    await apply(server, app, "healthy", true);
    await signIn(page, server);
    const told = news(page);
    await page.goto(`/events?app=${app}&group=0&from=-1h`);
    await awake(page);
    await expect(page.getByText("Live", { exact: true })).toBeVisible();
    // What the first release still had to say.
    const top = () => page.locator("article.event").first().getAttribute("id");
    const row = page.locator("article.event").nth(2);
    if (held === "hovered") await row.hover();
    else await row.getByRole("link").first().focus();
    const [id, first] = [await row.getAttribute("id"), await top()];
    const places = await watch(page.locator(`#${id}`));
    const before = told.changes;

    await apply(server, app, "crash-at-start");
    await act(server, app, "restart").catch(() => {});
    await expect.poll(() => told.changes - before, slow).toBeGreaterThanOrEqual(CHANGES);
    const pill = page.getByRole("button", { name: /^↑ \d+ new events?/ });
    await expect(pill).toHaveText(/\(\d+ failed\)/);
    expect(await places()).toHaveLength(1);
    expect([await row.getAttribute("id"), await top()]).toEqual([id, first]);

    if (held === "hovered") await away(page);
    else await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await expect(pill).toHaveCount(0);
    const seq = (id: string | null) => Number(id?.replace("ev_", ""));
    expect(seq(await top())).toBeGreaterThanOrEqual(seq(first) + CHANGES);
    await act(server, app, "stop");
  });
}
