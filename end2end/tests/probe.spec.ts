// The test page, as everybody gets it: whole without script, with strict headers.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "../support/console.ts";

test("the page is whole without script", async ({ page }) => {
  const response = await page.goto("/probe");
  expect(response?.status()).toBe(200);
  await expect(page).toHaveTitle("Probe");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Probe");
  await expect(page.locator("#second button")).toHaveText("Clicked 10 times");
});

test("headers are strict and no two nonces are alike", async ({ request }) => {
  const policies = [];
  for (const _ of [1, 2]) {
    const headers = (await request.get("/probe")).headers();
    expect(headers["x-content-type-options"]).toBe("nosniff");
    policies.push(headers["content-security-policy"]);
  }
  expect(policies[0]).toContain("'strict-dynamic'");
  expect(policies[0]).not.toContain("unsafe-inline");
  expect(policies[0]).not.toBe(policies[1]);
});

test("assets are kept for ever and come compressed", async ({ request }) => {
  const html = await (await request.get("/probe")).text();
  const assets = [...html.matchAll(/\/assets\/[\w.-]+/g)].map(([path]) => path);
  expect(assets).toHaveLength(3);
  for (const path of assets) {
    const response = await request.get(path, { headers: { "accept-encoding": "br" } });
    expect(response.status(), path).toBe(200);
    expect(response.headers()["content-encoding"], path).toBe("br");
    expect(response.headers()["cache-control"], path).toContain("immutable");
  }
});

test("the page has no accessibility faults", async ({ page, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, "axe runs inside of the page");
  await page.goto("/probe");
  const results = await new AxeBuilder({ page }).analyze();
  expect(results.violations).toEqual([]);
});
