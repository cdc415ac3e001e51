// The story that everything stands on: a real app converges, gets stuck, is explained, rolled back and
// waited for. Once with the islands running, where nothing is loaded twice; once without JavaScript.
import { expect, test } from "../support/console.ts";
import { apply, signIn, vt } from "../support/vt.ts";

test("a stuck release is explained in two clicks, rolled back and waited for", async ({
  page,
  server,
  javaScriptEnabled,
}) => {
  test.setTimeout(120_000);
  const live = javaScriptEnabled !== false;
  const app = live ? "checkout" : "billing";
  /** What a person does who wants to see news: nothing where the page is live, else load it again. */
  const news = async (check: () => Promise<void>) => {
    await expect(async () => {
      if (!live) await page.reload();
      await check();
    }).toPass({ timeout: 30_000 });
  };

  await apply(server, app, "healthy", true);
  await signIn(page, server);
  await page.goto("/");
  const row = page.locator("article.env-row", { hasText: `${app}/prod` });
  await expect(row).toContainText("Converged");

  await apply(server, app, "crash-at-start");
  // No click: the reason and the attempt are on the row.
  await news(async () => {
    await expect(row).toContainText("Stuck", { timeout: 1000 });
    await expect(row).toContainText(/code 1/, { timeout: 1000 });
    await expect(row).toContainText(/attempt \d+/, { timeout: 1000 });
  });

  // One click: desired, current, why and the chain.
  await row.getByRole("link", { name: `${app}/prod`, exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Stuck");
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/attempt \d+/);
  const gap = page.locator("#gap");
  await expect(gap).toContainText("r-2");
  await expect(gap.locator(".chain")).toContainText(/i-\w+/);
  const home = page.url();

  // Two clicks: the event itself.
  await gap.locator('a[href*="sel=ev_"]').first().click();
  const detail = page.locator(".event-detail");
  await expect(detail).toContainText(/ev_\d+/);
  await expect(detail).toContainText("exited");

  await page.goto(home);
  await page.getByRole("link", { name: /Roll back to r-1/ }).first().click();
  await expect(page.getByText("Will change", { exact: false }).first()).toBeVisible();
  await expect(page.getByText("Will not change", { exact: false }).first()).toBeVisible();
  await page.getByLabel(/Reason/).fill("r-2 exits at once");
  await page.getByRole("button", { name: "Roll back to r-1" }).click();

  await page.waitForURL(/\/receipts\/rc_/);
  const receipt = page.url().split("/").pop()!;
  await expect(page.locator("main")).toContainText(receipt);
  await expect(page.locator("main")).toContainText(/tr_\w+/);
  await news(async () => {
    await expect(page.locator("article.receipt")).toHaveAttribute("data-phase", "converged", { timeout: 1000 });
  });

  await page.goto("/");
  await news(async () => expect(row).toContainText("Converged", { timeout: 1000 }));
  const audit = JSON.parse(await vt(server, "receipts", "describe", receipt, "--json"));
  expect(JSON.stringify(audit)).toContain("r-2 exits at once");
});
