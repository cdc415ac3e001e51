// How pages look to whom: without colours, without motion, on a narrow screen, under a finger, on paper.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "../support/console.ts";
import { signIn } from "../support/vt.ts";
import { world } from "../support/world.ts";

test.describe.configure({ timeout: 600_000 });

test("at 320 pixels nothing scrolls sideways and every target is large enough", async ({ page, server, javaScriptEnabled }) => {
  const { routes } = await world(server);
  await signIn(page, server);
  await page.setViewportSize({ width: 320, height: 640 });
  for (const route of routes) {
    await page.goto(route);
    if (javaScriptEnabled === false) continue;
    const wide = await page.evaluate(() => {
      const root = document.documentElement;
      if (root.scrollWidth <= root.clientWidth) return [];
      const out = [...document.querySelectorAll("main *, header *, footer *")].filter(
        (el) => el.getBoundingClientRect().right > root.clientWidth + 1 && !el.closest(".scroll, .code, .logs, svg"),
      );
      return [`page is ${root.scrollWidth} wide`, ...out.slice(0, 5).map((el) => `<${el.localName} class="${el.className}">`)];
    });
    expect(wide, route).toEqual([]);
    const { violations } = await new AxeBuilder({ page }).withRules(["target-size"]).analyze();
    expect(violations.flatMap((v) => v.nodes.map((node) => node.target.join(" "))), route).toEqual([]);
  }
});

test("what is pressed most is large enough for a finger", async ({ browser, page, server, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, "sizes are measured inside of the page");
  const { routes } = await world(server);
  await signIn(page, server);
  const storageState = await page.context().storageState();
  const context = await browser.newContext({ storageState, hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } });
  const phone = await context.newPage();
  for (const route of routes) {
    await phone.goto(`${server.url}${route}`);
    const small = await phone.evaluate(() =>
      [...document.querySelectorAll(".button.primary, .action .button")]
        .map((el) => ({ name: el.textContent, box: el.getBoundingClientRect() }))
        .filter(({ box }) => box.height > 0 && (box.height < 44 || box.width < 44))
        .map(({ name, box }) => `${name}: ${Math.round(box.width)}×${Math.round(box.height)}`),
    );
    expect(small, route).toEqual([]);
  }
  await context.close();
});

test("without colours every verdict keeps its own shape and word", async ({ page, server, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, "styles are read inside of the page");
  const { routes } = await world(server);
  await signIn(page, server);
  await page.emulateMedia({ forcedColors: "active" });
  for (const route of routes.slice(0, 8)) {
    await page.goto(route);
    const faults = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>(".chip")].flatMap((chip) => {
        const outline = chip.querySelector(".shape-outline");
        const stroke = outline ? getComputedStyle(outline).stroke : "none";
        const word = (chip.textContent ?? "").trim();
        const lost = [outline ? "" : "no shape", stroke === "none" ? "no stroke" : "", word ? "" : "no word"].filter(Boolean);
        return lost.map((what) => `${chip.dataset.verdict}: ${what}`);
      }),
    );
    expect(faults, route).toEqual([]);
  }
});

for (const how of ["the system", "the settings"]) {
  test(`nothing moves where ${how} asks for that`, async ({ page, server, context, javaScriptEnabled }) => {
    test.skip(javaScriptEnabled === false, "styles are read inside of the page");
    const { routes } = await world(server);
    await signIn(page, server);
    if (how === "the system") await page.emulateMedia({ reducedMotion: "reduce" });
    else await context.addCookies([{ name: "vt_motion", value: "none", url: server.url }]);
    for (const route of routes) {
      await page.goto(route);
      const moving = await page.evaluate(() => {
        const seconds = (text: string) => Math.max(...text.split(",").map((part) => parseFloat(part)));
        const styled = [...document.querySelectorAll("*")].filter((el) => {
          const style = getComputedStyle(el);
          return seconds(style.animationDuration) > 0 && style.animationName !== "none" || seconds(style.transitionDuration) > 0;
        });
        return [...styled.map((el) => `<${el.localName} class="${el.className}">`), ...document.getAnimations().map(String)];
      });
      expect(moving, route).toEqual([]);
    }
  });
}

test("what one person chose stays chosen, with plain forms", async ({ page, server }) => {
  await signIn(page, server);
  await page.goto("/settings");
  await page.getByRole("radio", { name: "dark", exact: true }).check();
  await page.getByRole("radio", { name: /^compact/ }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/\/settings$/);
  await page.goto("/events");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.locator(".page")).toHaveAttribute("data-density", "compact");
});

test("on paper there is the page and not its tools", async ({ page, server, javaScriptEnabled }) => {
  const { env } = await world(server);
  await signIn(page, server);
  await page.emulateMedia({ media: "print" });
  await page.goto(env);
  for (const tool of ["header nav", "header form", "footer", ".actions"]) await expect(page.locator(tool).first()).toBeHidden();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  if (javaScriptEnabled !== false) {
    const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(ground).toBe("rgb(255, 255, 255)");
  }
});
