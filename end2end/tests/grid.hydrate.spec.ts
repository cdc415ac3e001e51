// The grid with script: keys, and cells that change where they are.
import { awake, expect, test } from "../support/console.ts";
import { act, apply, signIn } from "../support/vt.ts";

test("v takes the other view, and j walks through the cells in their order", async ({ page, server }) => {
  await apply(server, "keyed", "healthy", true);
  await signIn(page, server);
  await page.goto("/");
  await awake(page);
  await page.keyboard.press("v");
  await expect(page).toHaveURL(/\/\?view=grid$/);
  await awake(page);
  await page.keyboard.press("j");
  await expect(page.locator("article.env-cell h3 a").first()).toBeFocused();
  await page.keyboard.press("v");
  await expect(page).toHaveURL(`${server.url}/`);
});

test("a cell gets another verdict in its place and in its size", async ({ page, server }) => {
  test.setTimeout(90_000);
  await apply(server, "turning", "healthy", true);
  await signIn(page, server);
  await page.goto("/?view=grid");
  await awake(page);
  const cell = page.locator("article.env-cell", { hasText: "turning/prod" });
  await expect(cell).toHaveAttribute("data-verdict", "converged");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const before = await cell.boundingBox();
  await apply(server, "turning", "crash-at-start");
  await expect(cell).toHaveAttribute("data-verdict", "stuck", { timeout: 60_000 });
  await expect(cell.getByRole("img", { name: /Stuck$/ })).toBeVisible();
  expect(await cell.boundingBox()).toEqual(before);
  await act(server, "turning", "stop");
});
