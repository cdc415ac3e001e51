// Islands wake up; those that cannot are noticed and leave the others alone.
import { awake, expect, test } from "../support/console.ts";

test("an island counts after it woke up", async ({ page }) => {
  await page.goto("/probe");
  await awake(page);
  const button = page.locator("#first button");
  await button.click();
  await button.click();
  await expect(button).toHaveText("Clicked 2 times");
  await expect(page.locator("#second button")).toHaveText("Clicked 10 times");
});

for (const fault of ["mismatch", "panic"]) {
  test(`a ${fault} is noticed and the next island wakes up all the same`, async ({ page, complaints }) => {
    await page.goto(`/probe?${fault}`);
    await awake(page);
    const button = page.locator("#second button");
    await button.click();
    await expect(button).toHaveText("Clicked 11 times");
    expect(complaints.take().join("\n")).toContain("island Probe_");
  });
}

test("a foreign handler is blocked and reported", async ({ page, complaints }) => {
  await page.goto("/probe");
  await awake(page);
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", "<img src='data:,' onerror='document.title = 1'>");
  });
  await expect.poll(() => complaints.list.some((line) => line.includes("policy: script-src"))).toBe(true);
  await expect(page).toHaveTitle("Probe");
  complaints.take();
});
