// A wait belongs to the server: whoever opens it, whenever, sees the same one, and it says how it ended.
// Without JavaScript the page says the same; it has to be loaded again for news.
import type { Page } from "@playwright/test";
import { expect, test } from "../support/console.ts";
import { type Server } from "../support/server.ts";
import { act, api, apply, envOf, post, signIn, vt } from "../support/vt.ts";

interface Wait {
  id: string;
  created_at: string;
  phase: string;
}

const card = (page: Page) => page.locator("article.wait");

/** Looks until it is so; where the page is not live, it is loaded again. */
async function phase(page: Page, phase: string, live: boolean): Promise<void> {
  await expect(async () => {
    if (!live) await page.reload();
    await expect(card(page)).toHaveAttribute("data-phase", phase, { timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
}

/** The seconds that the card says have gone by. */
async function elapsed(page: Page): Promise<number> {
  const text = await card(page).locator("time[data-rel=clock]").innerText();
  const [, minutes, seconds] = /^(\d+):(\d\d)$/.exec(text)!;
  return Number(minutes) * 60 + Number(seconds);
}

/** Whether the page is live, and an app of its own for each of the two ways to run. */
function begin(name: string, script: boolean | undefined): { live: boolean; app: string } {
  test.setTimeout(90_000);
  const live = script !== false;
  return { live, app: live ? name : `${name}-plain` };
}

const wait = (server: Server, id: string, timeout_s: number) =>
  post<Wait>(server, "/waits", { object: `env:${id}`, until: null, timeout_s });

test("a wait survives reloads, is the same in another browser, and says what superseded it", async ({
  browser,
  page,
  server,
  javaScriptEnabled,
}) => {
  const { live, app } = begin("outlast", javaScriptEnabled);
  await apply(server, app, "never-ready");
  const first = await act(server, app, "restart");
  await apply(server, app, "crash-at-start");
  const receipt = await act(server, app, "rollback", { release: first.plan.intent.release! }, 600);
  const path = `/waits/${receipt.wait}`;
  const { created_at } = await api<Wait>(server, path);

  await signIn(page, server);
  await page.goto(`/receipts/${receipt.id}`);
  await page.locator(`article.receipt a[href="${path}"]`).click();
  await page.waitForURL((url) => url.pathname === path);
  await expect(card(page)).toHaveAttribute("id", receipt.wait!);
  await expect(page).toHaveTitle(new RegExp(`^◔ \\d/\\d · ${app}/prod`));

  const storageState = await page.context().storageState();
  const context = await browser.newContext({ storageState, javaScriptEnabled: live });
  const other = await context.newPage();
  await other.goto(`${server.url}${path}`);
  await page.reload();
  await expect(card(other)).toHaveAttribute("id", receipt.wait!);
  await expect(async () => {
    const age = () => (Date.now() - Date.parse(created_at)) / 1000;
    const least = age() - 1;
    // Plain pages stand at the time of their loading.
    if (!live) await Promise.all([page.reload(), other.reload()]);
    const [mine, theirs] = await Promise.all([elapsed(page), elapsed(other)]);
    expect(Math.abs(mine - theirs)).toBeLessThanOrEqual(1);
    expect(mine).toBeGreaterThanOrEqual(Math.floor(least));
    expect(mine).toBeLessThanOrEqual(age() + 1);
  }).toPass({ timeout: 15_000 });
  await expect(card(page)).toContainText("of 10:00");

  // Desired state moves on.
  await apply(server, app, "healthy");
  for (const reader of [page, other]) {
    await phase(reader, "superseded", live);
    await expect(reader.getByRole("heading", { level: 1 })).toContainText("Superseded");
    await expect(card(reader)).toContainText("no longer applies");
  }
  const by = card(page).locator('a[href^="/receipts/rc_"]', { hasText: /^rc_/ }).first();
  expect(await by.getAttribute("href")).not.toBe(`/receipts/${receipt.id}`);
  await by.click();
  await expect(page.locator("article.receipt")).toContainText(`${app}/prod`);
  await context.close();
  await act(server, app, "stop");
});

test("a wait that converges ends with a tick, also in the title", async ({ page, server, javaScriptEnabled }) => {
  const { live, app } = begin("arrive", javaScriptEnabled);
  await apply(server, app, "healthy", true);
  await apply(server, app, "never-ready");
  const { id } = await envOf(server, app);
  await expect.poll(async () => (await envOf(server, app)).verdict).not.toBe("converged");
  const made = await wait(server, id, 600);
  await signIn(page, server);
  await page.goto(`/waits/${made.id}`);
  await expect(page).toHaveTitle(/^◔ 0\/1 · /);
  await act(server, app, "rollback");
  await phase(page, "converged", live);
  await expect(page).toHaveTitle(/^✓ Converged · /);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/converged in \d+ (s|min)/);
  await expect(card(page).locator(".items li").first()).toContainText("✓");
  await expect(card(page)).toContainText("does not prove that the app is right");
  await act(server, app, "stop");
});

test("a wait that times out leads to events, status and the object, in that order", async ({
  page,
  server,
  javaScriptEnabled,
}) => {
  const { live, app } = begin("patience", javaScriptEnabled);
  await apply(server, app, "crash-at-start");
  const { id } = await envOf(server, app);
  await expect.poll(async () => (await envOf(server, app)).verdict, { timeout: 30_000 }).toBe("stuck");
  const made = await wait(server, id, 2);
  await signIn(page, server);
  await page.goto(`/waits/${made.id}`);
  await phase(page, "timed_out", live);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("This may be temporary; the change goes on");
  const next = card(page).locator("p.row a.button");
  await expect(next).toHaveText([/^Events since \d\d:\d\d:\d\dZ$/, "Status", `Describe ${id}`]);
  const pages = [/\/events\?/, new RegExp(`/a/[^/]+/${id}~prod`), new RegExp(`/o/env/${id}`)];
  for (const [i, path] of pages.entries()) {
    await page.goto(`/waits/${made.id}`);
    await next.nth(i).click();
    await page.waitForURL(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  }

  // A terminal says the same, in the same order.
  const failed = await vt(server, "wait", "env", id, "--timeout", "2s", "--json").then(
    () => ({ stdout: "it converged", stderr: "" }),
    (error: { stdout: string; stderr: string }) => error,
  );
  const said = failed.stdout + failed.stderr;
  const order = ["vt events", "vt status", "vt describe"].map((command) => said.indexOf(command));
  expect(order[0]).toBeGreaterThan(-1);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  await act(server, app, "stop");
});
