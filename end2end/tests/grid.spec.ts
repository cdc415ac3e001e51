// The overview as a grid: every app-env at a place of its own, by name, with what was said of it lately.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "../support/console.ts";
import { act, apply, envOf, signIn } from "../support/vt.ts";

const cell = "article.env-cell";

test("the grid lists every app-env by name, worst or not, and each cell leads to its page", async ({ page, server }) => {
  for (const app of ["grid-c", "grid-a", "grid-b"]) await apply(server, app, "healthy", true);
  await act(server, "grid-b", "stop");
  await signIn(page, server);
  await page.goto("/");
  await page.getByRole("navigation", { name: "View" }).getByRole("link", { name: "Grid" }).click();
  await expect(page).toHaveURL(/\/\?view=grid$/);
  const names = await page.locator(`${cell} h3`).allInnerTexts();
  expect(names).toEqual([...names].sort());
  expect(names).toEqual(expect.arrayContaining(["grid-a/prod", "grid-b/prod", "grid-c/prod"]));
  const one = page.locator(cell, { hasText: "grid-a/prod" });
  // The verdict is a word and a shape, and so is its past.
  await expect(one).toContainText("Converged");
  const past = one.getByRole("img", { name: /^last 2 h: not recorded, then [A-Z]/ });
  await expect(past.locator("i")).toHaveCount(12);
  await expect(past.locator("i").last()).toHaveText(/^[✖◆?▲‖◔✓–]$/);
  await one.getByRole("link", { name: "grid-a/prod" }).click();
  await expect(page).toHaveURL(`${server.url}${(await envOf(server, "grid-a")).path}`);
});

test("a cell is looked at beside the grid, and closing it leads back to the grid", async ({ page, server }) => {
  await apply(server, "grid-look", "healthy", true);
  await signIn(page, server);
  await page.goto(`/?view=grid&sel=${(await envOf(server, "grid-look")).id}`);
  const beside = page.getByRole("complementary", { name: "grid-look/prod" });
  await expect(beside).toBeVisible();
  await beside.getByRole("link", { name: "Close" }).click();
  await expect(page).toHaveURL(/\/\?view=grid$/);
  await expect(beside).toHaveCount(0);
});

test("the grid has no accessibility fault, in light and dark, also on a narrow screen", async ({ page, server, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, "axe runs inside of the page");
  await apply(server, "grid-axe", "healthy", true);
  await signIn(page, server);
  for (const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 360]] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.goto("/?view=grid");
    await expect(page.locator(cell).first()).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), `${colorScheme}, ${width} px`).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), "nothing sticks out").toBeLessThanOrEqual(width);
  }
});
