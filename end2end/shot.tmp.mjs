import { chromium } from "@playwright/test";
const [,, base, link, outdir] = process.argv;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox","--disable-gpu","--disable-quic","--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"] });
const ctx = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
const page = await ctx.newPage();
page.on("console", m => { if (["error","warning"].includes(m.type())) console.log("CONSOLE", m.type(), m.text().slice(0,600)); });
page.on("pageerror", e => console.log("PAGEERROR", e.message.slice(0,600)));
await page.goto(link); await page.getByRole("button", { name: "Sign in" }).click(); await page.waitForURL(base + "/");
await page.waitForTimeout(2500);
await page.screenshot({ path: outdir + "/overview.png" });
const state = await ctx.storageState();
const stuck = await page.locator('article.env-row[data-verdict="stuck"] h3 a').first().getAttribute("href").catch(()=>null);
console.log("stuck", stuck);
const shots = [["env", stuck], ["events","/events"], ["waits","/waits"], ["receipts","/receipts"], ["releases", stuck && stuck + "/releases"]];
for (const [name, path] of shots) { if (!path) continue; await page.goto(base + path); await page.waitForTimeout(2000); await page.screenshot({ path: `${outdir}/${name}.png`, fullPage: name !== "events" }); }
if (stuck) {
  await page.goto(base + stuck); await page.waitForTimeout(1000);
  const rb = page.locator('.action[data-verb=rollback] a').first();
  console.log("rollback href", await rb.getAttribute("href"));
  await rb.click(); await page.waitForTimeout(2000); await page.screenshot({ path: outdir + "/plan.png", fullPage: true }); console.log(page.url());
  const inst = await (await ctx.newPage());
  await inst.goto(base + stuck); await inst.waitForTimeout(500);
  const o = await inst.locator('.chain a[href*="/o/instance"]').first().getAttribute("href");
  await inst.goto(base + o); await inst.waitForTimeout(1500); await inst.screenshot({ path: outdir + "/instance.png", fullPage: true });
}
const dark = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "dark", storageState: state });
const d = await dark.newPage(); await d.goto(base + "/"); await d.waitForTimeout(1500); await d.screenshot({ path: outdir + "/overview-dark.png" });
if (stuck) { await d.goto(base + stuck); await d.waitForTimeout(1500); await d.screenshot({ path: outdir + "/env-dark.png" }); }
const phone = await browser.newContext({ viewport: { width: 360, height: 740 }, storageState: state });
const p = await phone.newPage(); await p.goto(base + "/"); await p.waitForTimeout(1500); await p.screenshot({ path: outdir + "/overview-360.png" });
if (stuck) { await p.goto(base + stuck); await p.waitForTimeout(1500); await p.screenshot({ path: outdir + "/env-360.png" }); }
await browser.close();
