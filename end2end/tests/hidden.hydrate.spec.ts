// A tab that nobody looks at lets its socket go; when it is looked at again it catches up with what it missed,
// without loading the page.
import type { Page } from "@playwright/test";
import { awake, expect, test } from "../support/console.ts";
import { act, apply, sequences, signIn } from "../support/vt.ts";

/** What the browser says when the tab is hidden or shown. */
const turn = (page: Page, hidden: boolean) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, hidden);

test("a hidden tab releases its socket and catches up when it is looked at again", async ({ page, server }) => {
  test.setTimeout(120_000);
  await apply(server, "hidden", "healthy", true);
  await signIn(page, server);
  const sockets = { opened: 0, closed: 0 };
  page.on("websocket", (socket) => {
    sockets.opened += 1;
    socket.on("close", () => (sockets.closed += 1));
  });
  await page.goto("/events?app=hidden");
  await awake(page);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  // The page before this one had a socket too, which may have opened late.
  Object.assign(sockets, { opened: 1, closed: 0 });
  const loaded = await page.evaluate(() => performance.timeOrigin);

  // A glance elsewhere costs nothing.
  await turn(page, true);
  await turn(page, false);
  await turn(page, true);
  await expect.poll(() => sockets.closed, { timeout: 15_000 }).toBe(1);
  expect(sockets.opened).toBe(1);

  const before = (await sequences(server)).length;
  await act(server, "hidden", "restart");
  await expect.poll(async () => (await sequences(server)).length, { timeout: 15_000 }).toBeGreaterThan(before);
  await turn(page, false);
  await expect(page.getByRole("status").filter({ hasText: /caught up \d+ event/ })).toHaveCount(1);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  expect(sockets.opened).toBe(2);
  expect(await page.evaluate(() => performance.timeOrigin)).toBe(loaded);
});
