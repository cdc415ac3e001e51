// The story by keyboard alone. At every stop the focus is on something that can be seen: rendered, outlined,
// inside of the viewport, and not covered by anything.
import type { Locator, Page } from "@playwright/test";
import { awake, expect, test } from "../support/console.ts";
import { act, apply, envOf, signIn } from "../support/vt.ts";

/** More than any page has stops. */
const MAX_STOPS = 250;

/** What is wrong with the stop that has the focus now; empty where it can be seen. */
const hidden = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const el = document.activeElement;
    // Between the last stop and the first the browser itself has the focus.
    if (!el || el === document.body) return "";
    const what = `<${el.localName} class="${el.getAttribute("class") ?? ""}"> ${(el.textContent ?? "").trim().slice(0, 40)}`;
    if (!el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return `${what}: not visible`;
    const style = getComputedStyle(el);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    if (!outlined && !el.matches("main")) return `${what}: no focus ring`;
    // A link that runs over two lines has its centre between them: its largest part counts.
    const [rect] = [...el.getClientRects()].sort((a, b) => b.width * b.height - a.width * a.height);
    if (!rect || rect.width * rect.height === 0) return `${what}: no size`;
    const [x, y] = [rect.x + rect.width / 2, rect.y + rect.height / 2];
    const top = document.elementFromPoint(x, y);
    if (!top) return `${what}: centre ${Math.round(x)},${Math.round(y)} is outside of the viewport`;
    return el.contains(top) ? "" : `${what}: covered by <${top.localName} class="${top.getAttribute("class") ?? ""}">`;
  });

const has = (target: Locator) => target.evaluate((el) => el === document.activeElement);

/** Tabs until that has the focus; every stop on the way is looked at. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  const faults: string[] = [];
  await expect(target).toBeVisible();
  for (let stop = 0; stop < MAX_STOPS; stop++) {
    await page.keyboard.press("Tab");
    const fault = await hidden(page);
    if (fault) faults.push(fault);
    if (await has(target)) {
      expect(faults).toEqual([]);
      return;
    }
  }
  throw new Error(`the keyboard never came to ${target}; stops with faults:\n${faults.join("\n")}`);
}

/** What has the focus has it where it should, and can be seen. */
async function standsOn(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeFocused();
  expect(await hidden(page)).toBe("");
}

test("from a stuck row to the wait of its rollback by keyboard alone", async ({ page, server }) => {
  test.setTimeout(180_000);
  const app = "keys";
  await apply(server, app, "healthy", true);
  await apply(server, app, "crash-at-start");
  await expect.poll(async () => (await envOf(server, app)).verdict, { timeout: 30_000 }).toBe("stuck");
  await signIn(page, server);

  // Overview → row.
  await page.goto("/");
  await awake(page);
  const row = page.locator("article.env-row", { hasText: `${app}/prod` });
  await expect(row).toHaveAttribute("data-verdict", "stuck");
  await tabTo(page, row.getByRole("link", { name: `${app}/prod`, exact: true }));
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/a\/[^?]+$/);

  // Gap → evidence. News come in all the time and must not take the focus away.
  await awake(page);
  const proof = page.locator('#gap .chain a[href*="sel=ev_"]').last();
  await tabTo(page, proof);
  const attempt = async () => Number(/attempt (\d+)/.exec(await page.locator("h1").innerText())?.[1] ?? 0);
  const first = await attempt();
  await expect.poll(attempt, { timeout: 20_000 }).toBeGreaterThan(first);
  await standsOn(page, proof);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/events\?.*sel=ev_/);
  await awake(page);
  const detail = page.locator(".event-detail");
  await expect(detail).toContainText(/ev_\d+/);
  await tabTo(page, detail.getByRole("link", { name: "close" }));

  // Back → rollback dialog.
  await page.goBack();
  await page.waitForURL(/\/a\/[^?]+$/);
  await awake(page);
  const opener = page.locator(".action[data-verb=rollback] a");
  await tabTo(page, opener);
  await page.keyboard.press("Enter");
  await page.waitForURL(/[?&]open=rollback/);
  await awake(page);
  const dialog = page.locator("dialog.plan-dialog");
  await expect(dialog).toBeVisible();
  expect(await dialog.evaluate((el) => el.matches(":modal"))).toBe(true);
  await expect(dialog.locator("h2").first()).toHaveText(`Roll back ${app}/prod to r-1?`);
  await standsOn(page, dialog.locator("#plan-title"));

  // Esc leads back to where one came from, and the URL with it.
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page).not.toHaveURL(/open=/);
  await standsOn(page, opener);

  // Again, and confirm; no shortcut does it.
  await page.keyboard.press("Enter");
  await page.waitForURL(/[?&]open=rollback/);
  await awake(page);
  await standsOn(page, dialog.locator("#plan-title"));
  await tabTo(page, dialog.getByLabel(/Reason/));
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Control+Enter");
  await expect(dialog).toBeVisible();
  const confirm = dialog.getByRole("button", { name: "Roll back to r-1" });
  await tabTo(page, confirm);
  await page.keyboard.press("Enter");

  // Receipt → wait.
  await page.waitForURL(/\/receipts\/rc_/);
  await awake(page);
  await expect(page.locator("article.receipt")).toContainText("by keyboard");
  await tabTo(page, page.locator('article.receipt a[href^="/waits/wt_"]'));
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/waits\/wt_/);
  await awake(page);
  await tabTo(page, page.locator('article.wait a[href^="/receipts/rc_"]'));
  await expect(page.locator("article.wait")).toHaveAttribute("data-phase", "converged", { timeout: 30_000 });
  await act(server, app, "stop");
});
