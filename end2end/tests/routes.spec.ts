// Every route, with what holds for all of them: whole without script, quiet in the console, accessible.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { awake, expect, test } from "../support/console.ts";
import { signIn } from "../support/vt.ts";
import { world } from "../support/world.ts";

test.describe.configure({ timeout: 600_000 });

test("every route says its sentence, and nothing on it is loading", async ({ page, server }) => {
  const { routes } = await world(server);
  await signIn(page, server);
  for (const route of routes) {
    const response = await page.goto(route);
    expect(response?.status(), route).toBe(200);
    const html = await response!.text();
    expect(html.match(/<h1[\s>]/g)?.length, route).toBe(1);
    expect(html, route).not.toMatch(/>\s*Loading/);
    if (/^\/(a|o)\//.test(route)) expect(html, route).toMatch(/data-verdict="\w+"/);
    expect(html, route).toMatch(/<time[^>]+datetime=/);
  }
});

test("what does not exist says so and leads back", async ({ page, server, complaints }) => {
  await signIn(page, server);
  for (const route of ["/nowhere", "/a/none/prod", "/o/instance/ins_none", "/receipts/rc_none", "/o/UPPER/x"]) {
    const response = await page.goto(route);
    expect(response?.status(), route).toBe(404);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByRole("link", { name: "Overview" }).first()).toBeVisible();
  }
  // The browser reports a 404 of the page itself as an error; that is all it may say.
  expect(complaints.take().filter((line) => !/status of 404/.test(line))).toEqual([]);
});

test("what a link says and we do not understand is shown, and the rest is kept", async ({ page, server }) => {
  await signIn(page, server);
  await page.goto("/events?verdit=stuck&outcome=failed&foo=1");
  await expect(page.getByText("2 filters in this link were not understood")).toBeVisible();
  await expect(page.getByText("verdit=stuck")).toBeVisible();
});

test("the four questions are answered above the fold", async ({ page, server }) => {
  const { env } = await world(server);
  await signIn(page, server);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(env);
  const parts = ["h1", "#gap th:has-text('Desired')", "#gap th:has-text('Current')", "#gap th:has-text('Why')", "text=latest change"];
  for (const part of parts) await inFirstViewport(page, part, 900);
  await inFirstViewport(page, "#gap tbody tr >> nth=0", 900);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(env);
  await inFirstViewport(page, "h1", 740);
});

async function inFirstViewport(page: Page, selector: string, height: number): Promise<void> {
  const box = await page.locator(selector).first().boundingBox();
  expect(box, selector).not.toBeNull();
  expect(box!.y + box!.height, `${selector} ends above ${height}`).toBeLessThanOrEqual(height);
}

test("every route hydrates without a word in the console", async ({ page, server, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, "nothing hydrates without JavaScript");
  const { routes } = await world(server);
  await signIn(page, server);
  for (const route of routes) {
    await page.goto(route);
    await awake(page);
  }
});

const LOOKS = ["light", "dark"].flatMap((theme) => ["comfortable", "compact"].map((density) => ({ theme, density })));

test("axe finds nothing on any route, in both themes and both densities", async ({ page, server, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, "axe runs inside of the page");
  test.skip(process.env.VT_SITE_FLAVOUR === "dev", "the markup is the same in both builds");
  // Twenty routes, four looks each; on two busy cores one look takes seconds.
  test.setTimeout(1_500_000);
  const { routes } = await world(server);
  await signIn(page, server);
  for (const route of routes) {
    await page.goto(route);
    await awake(page);
    for (const look of LOOKS) {
      // Theme and density are two attributes: changing them here saves three loads of every route.
      await page.evaluate(({ theme, density }) => {
        document.documentElement.dataset.theme = theme;
        document.querySelector<HTMLElement>(".page")!.dataset.density = density;
      }, look);
      const { violations } = await new AxeBuilder({ page })
        .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
        .options({ rules: { "target-size": { enabled: true } } })
        .analyze();
      const found = violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.target.join(" ")).join(", ")}`);
      expect(found, `${route}, ${look.theme}, ${look.density}`).toEqual([]);
    }
  }
});
