// Every key of the list, on every page: none sends anything but a question, none works where the settings say so,
// and none in a field. Then what the keys and the palette are for.
import type { Page } from "@playwright/test";
import { awake, expect, test } from "../support/console.ts";
import { envOf, signIn } from "../support/vt.ts";
import { world } from "../support/world.ts";

test.describe.configure({ timeout: 600_000 });

/** The list as the help page shows it. */
async function bindings(page: Page): Promise<string[]> {
  await page.goto("/help/keys");
  const rows = page.locator("tr[data-keys]");
  const keys = await rows.evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset.keys!));
  expect(keys.length).toBeGreaterThan(20);
  return keys;
}

/** Keys listen a moment after every island had its turn. */
const ready = (page: Page) => page.locator("html[data-ready]").waitFor({ state: "attached" });

const press = async (page: Page, keys: string) => {
  for (const key of keys.split(" ")) await page.keyboard.press(key);
};

/** Notes every request but those of the page itself, and stops pages from being left. */
async function watch(page: Page): Promise<{ sent: string[]; left: string[] }> {
  const seen = { sent: [] as string[], left: [] as string[] };
  await page.route("**/*", async (route) => {
    const request = route.request();
    if (request.method() !== "GET") seen.sent.push(`${request.method()} ${request.url()}`);
    if (request.isNavigationRequest() && armed.has(page)) {
      seen.left.push(new URL(request.url()).pathname);
      await route.abort("aborted");
    } else {
      await route.continue();
    }
  });
  return seen;
}
const armed = new Set<Page>();

async function arrive(page: Page, path: string): Promise<void> {
  armed.delete(page);
  await page.goto(path);
  await awake(page);
  await ready(page);
  armed.add(page);
}

test("no key sends anything, on any page", async ({ page, server, context, complaints }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const { routes } = await world(server);
  await signIn(page, server);
  const keys = await bindings(page);
  const seen = await watch(page);
  let left = 0;
  for (const route of routes) {
    await arrive(page, route);
    for (const key of keys) {
      await press(page, key);
      await page.keyboard.press("Escape");
    }
    left += seen.left.length;
    expect(seen.sent, route).toEqual([]);
    seen.left.length = 0;
  }
  // They did do something.
  expect(left).toBeGreaterThan(routes.length * 5);
  complaints.take();
});

test("switched off, no key does anything; in a field it is text", async ({ page, server, context }) => {
  await signIn(page, server);
  const keys = await bindings(page);
  const seen = await watch(page);
  // Script has no say in who it is: the cookie is the setting.
  await context.addCookies([{ name: "vt_keys", value: "off", url: server.url }]);
  await arrive(page, "/");
  for (const key of [...keys, "Control+k"]) await press(page, key);
  expect(seen.left).toEqual([]);
  expect(await page.locator("dialog[open], dialog:popover-open").count()).toBe(0);
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);

  await context.addCookies([{ name: "vt_keys", value: "on", url: server.url }]);
  await arrive(page, "/events");
  for (const field of ["header input[name=q]", "main .filter input[name=q]"]) {
    await page.locator(field).focus();
    await page.keyboard.type("geR?/jcl]1");
    await expect(page.locator(field)).toHaveValue("geR?/jcl]1");
  }
  expect(seen.left).toEqual([]);
});

test("keys lead through lists, pages and plans", async ({ page, server }) => {
  const { env } = await world(server);
  await signIn(page, server);
  await page.goto("/");
  await awake(page);
  await ready(page);
  await page.keyboard.press("j");
  await expect(page.locator(".row-name a").first()).toBeFocused();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/a\//);
  await awake(page);
  await ready(page);
  await page.keyboard.press("g");
  await expect(page.locator("#pending-key")).toHaveText("g");
  // The second key comes too late.
  await expect(page.locator("#pending-key")).toBeHidden();
  await page.keyboard.press("e");
  await expect(page).toHaveURL(/\/a\//);
  await page.goto(env);
  await awake(page);
  await ready(page);
  await page.keyboard.press("R");
  await page.waitForURL(/open=rollback/);
  await awake(page);
  await expect(page.locator("dialog.plan-dialog")).toBeVisible();
});

test("space looks at a row beside the list, and Esc closes it", async ({ page, server }) => {
  await world(server);
  await signIn(page, server);
  await page.goto("/");
  await ready(page);
  await page.keyboard.press("j");
  await page.keyboard.press("Space");
  await page.waitForURL(/\/\?sel=env_/);
  await expect(page.locator(".peek")).toContainText("Desired");
  await ready(page);
  await page.keyboard.press("Escape");
  await page.waitForURL(/\/$/);
  await expect(page.locator(".peek")).toHaveCount(0);
});

test("the palette goes to a pasted id, and its list is a listbox", async ({ page, server }) => {
  await world(server);
  const { id } = await envOf(server, "routes");
  await signIn(page, server);
  await page.goto("/settings");
  await awake(page);
  const field = page.getByRole("combobox", { name: "Search" });
  await ready(page);
  await page.keyboard.press("Control+k");
  await expect(field).toBeFocused();
  const options = page.getByRole("listbox").getByRole("option");
  await expect(options.filter({ hasText: "Overview" })).toHaveCount(1);
  await page.keyboard.type("no such name");
  await expect(options.filter({ hasText: "Events that contain" })).toHaveCount(1);
  await field.fill(id);
  await expect(options.first()).toContainText("Exact id");
  await expect(options.first()).toHaveAttribute("aria-selected", "true");
  await expect(field).toHaveAttribute("aria-activedescendant", "option-0");
  await page.keyboard.press("ArrowDown");
  await expect(options.nth(1)).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`/o/env/${id}`));
  // It was open, so it is found again without a word.
  await awake(page);
  await ready(page);
  await page.keyboard.press("/");
  await expect(field).toBeFocused();
  await expect(options.first()).toContainText("Recent");
  // Nothing behind it is reached before it is closed, and then the focus is where it was.
  for (const key of ["Tab", "Shift+Tab"]) {
    await page.keyboard.press(key);
    await expect(field).toBeFocused();
  }
  await page.keyboard.press("Escape");
  await expect(page.locator("#palette")).toBeHidden();
  await page.locator("main a").first().focus();
  await page.keyboard.press("Control+k");
  await expect(field).toBeFocused();
  await page.mouse.click(5, 5);
  await expect(page.locator("#palette")).toBeHidden();
  await page.locator("main a").first().focus();
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await expect(page.locator("main a").first()).toBeFocused();
});
