// What a write answered stays where it is until a person leaves it, and all of it can be taken along.
import type { Page } from "@playwright/test";
import { awake, expect, test } from "../support/console.ts";
import { act, api, apply, envOf, type Receipt, signIn } from "../support/vt.ts";

/** A person would not wait longer for a message to go away by itself; a machine has less patience. */
const WATCH_MS = process.env.CI ? 20_000 : 60_000;

/** Notes every status and alert that says something now, and looks at them all the time. */
async function watch(page: Page): Promise<() => Promise<{ seen: string[]; gone: string[] }>> {
  const handle = await page.evaluateHandle(() => {
    const seen = new Map<Element, string>();
    const gone: string[] = [];
    const look = () => {
      for (const el of document.querySelectorAll("[role=status], [role=alert]")) {
        const text = (el.textContent ?? "").trim();
        if (text) seen.set(el, text);
      }
      for (const [el, text] of seen) {
        const stays = el.isConnected && el.checkVisibility() && (el.textContent ?? "").trim() !== "";
        if (!stays) {
          gone.push(text);
          seen.delete(el);
        }
      }
    };
    look();
    new MutationObserver(look).observe(document.documentElement, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
    return { seen, gone };
  });
  return () => handle.evaluate(({ seen, gone }) => ({ seen: [...seen.values()], gone }));
}

test("a receipt stays, its ids can be selected, and all of them be copied", async ({ context, page, server }) => {
  test.setTimeout(WATCH_MS + 90_000);
  const app = "keep";
  await apply(server, app, "healthy", true);
  await apply(server, app, "crash-at-start");
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
  await signIn(page, server);
  const { path } = await envOf(server, app);
  await page.goto(`${path}?open=rollback`);
  await awake(page);
  await page.getByRole("button", { name: "Roll back to r-1" }).click();
  await page.waitForURL(/\/receipts\/rc_/);
  await awake(page);
  const card = page.locator("article.receipt");
  const receipt = await api<Receipt>(server, new URL(page.url()).pathname);

  const ids = [receipt.id, receipt.trace_id, receipt.target.env_id, receipt.plan.intent.release!];
  for (const id of ids) {
    const code = card.locator("code", { hasText: id }).first();
    await code.dblclick();
    expect(await page.evaluate(() => getSelection()?.toString().trim())).toBe(id);
  }

  const copy = card.getByRole("button", { name: /^copy all/ });
  await copy.click();
  await expect(copy).toHaveText("copied");
  const lines = [
    `receipt=${receipt.id}`,
    `app=${receipt.target.app_id}`,
    `env=${receipt.target.env_id}`,
    `release=${receipt.plan.intent.release}`,
    `generation=${receipt.generation}`,
    `trace=${receipt.trace_id}`,
    `wait=${receipt.wait}`,
  ];
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(lines.join("\n"));
  await expect(copy).toHaveText("copy all");
  const one = card.getByRole("button", { name: `copy ${receipt.trace_id}` });
  await one.click();
  await expect(one).toHaveText("copied");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(receipt.trace_id);

  // "copied" was said to those who do not see it, and stays as well.
  const told = await watch(page);
  await page.waitForTimeout(WATCH_MS);
  const { seen, gone } = await told();
  expect(seen).toContain("copied");
  expect(gone).toEqual([]);
  await expect(card).toHaveAttribute("id", receipt.id);
  await expect(card).toHaveAttribute("data-phase", "converged");
  await act(server, app, "stop");
});

test("a refusal stays where the action was taken", async ({ page, server, complaints }) => {
  test.setTimeout(WATCH_MS + 90_000);
  const app = "refuse";
  await apply(server, app, "healthy", true);
  await apply(server, app, "crash-at-start");
  await signIn(page, server);
  const { path } = await envOf(server, app);
  await page.goto(`${path}?open=rollback`);
  await awake(page);
  await page.getByLabel(/Reason/).fill("too late");
  // Somebody else was faster.
  await apply(server, app, "never-ready");
  await page.getByRole("button", { name: "Roll back to r-1" }).click();
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("out of date");
  await awake(page);
  // The reason that was typed is not lost, and the new plan can be confirmed.
  await expect(page.getByLabel(/Reason/)).toHaveValue("too late");
  await expect(page.getByRole("button", { name: "Roll back to r-1" })).toBeVisible();
  const told = await watch(page);
  await page.waitForTimeout(WATCH_MS);
  const { seen, gone } = await told();
  expect(seen.join()).toContain("out of date");
  expect(gone).toEqual([]);
  // A browser reports the status 409 of a page by itself.
  expect(complaints.take().filter((line) => !line.includes("409"))).toEqual([]);
  await act(server, app, "stop");
});
