// The URL is the state: whoever opens it sees the same, and steps back and forth lead where they came from.
import type { Browser, Page } from "@playwright/test";
import { awake, end, expect, test } from "../support/console.ts";
import { startServer, type Server } from "../support/server.ts";
import { act, api, apply, envOf, sequences, signIn } from "../support/vt.ts";

/** The same numbers in every run. */
function* numbers(): Generator<number> {
  for (let x = 20261122; ; ) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield x >>> 8;
  }
}

function states(seqs: number[], n: number): string[] {
  const random = numbers();
  const pick = <T>(list: T[]): T => list[random.next().value! % list.length]!;
  const maybe = (text: string) => (random.next().value! % 3 === 0 ? [text] : []);
  const made = new Set<string>();
  while (made.size < n) {
    const parts = [
      ...maybe(`q=${pick(["exit", "instance", "a%20b", "outcome:failed", "-reason:Exited%20code"])}`),
      ...maybe(`app=${pick(["roundtrip", "none", "-none"])}`),
      ...maybe(`kind=${pick(["instance", "env,instance"])}`),
      ...maybe(`outcome=${pick(["failed", "done,started", "info"])}`),
      ...maybe(`controller=${pick(["instance", "a%5C,b"])}`),
      ...maybe(`reason=${pick(["Exited", "-Exited"])}`),
      ...maybe(`from=${pick(["-24h", "2026-01-01T00:00:00Z"])}`),
      ...maybe(`sel=ev_${pick(seqs)}`),
      ...maybe("group=0"),
      ...maybe("live=0"),
      ...maybe(`before=ev_${pick(seqs)}`),
    ];
    made.add(`/events${parts.length > 0 ? "?" : ""}${parts.join("&")}`);
  }
  return [...made];
}

/** The content without what is made for one response, and without the clock. */
async function content(page: Page): Promise<string> {
  return page.locator("main").evaluate((main) => {
    const copy = main.cloneNode(true) as HTMLElement;
    for (const time of copy.querySelectorAll("time[data-rel]")) time.textContent = "";
    // It ends now, so its steps depend on when it was drawn.
    for (const figure of copy.querySelectorAll(".histogram")) figure.remove();
    for (const field of copy.querySelectorAll("input[name=form_token], input[name=idempotency_key]")) field.remove();
    // Empty markers are left by whoever renders; nobody sees them.
    return copy.innerHTML.replace(/<!--.*?-->/g, "");
  });
}

/** The content for somebody else who opens the URL: signed in as the same person, and nothing else in common. */
async function fresh(browser: Browser, page: Page, server: Server, url: string, script: boolean): Promise<string> {
  const storageState = await page.context().storageState();
  const context = await browser.newContext({
    baseURL: server.url,
    javaScriptEnabled: script,
    locale: "en-GB",
    timezoneId: "UTC",
    storageState,
  });
  const other = await context.newPage();
  await other.goto(url);
  if (script) await awake(other);
  const found = await content(other);
  await context.close();
  return found;
}

/** An app that has started and stopped. */
async function quiet(server: Server): Promise<number[]> {
  await apply(server, "roundtrip", "healthy", true);
  await act(server, "roundtrip", "stop");
  const { groups } = await api<{ groups: { event: { seq: number } }[] }>(server, "/events?group=0&limit=50");
  return groups.map((group) => group.event.seq);
}

/** Waits until nothing has happened for a second, and the app has stopped: what moves differs from one visit to the next. */
async function still(server: Server): Promise<number[]> {
  await expect.poll(async () => (await envOf(server, "roundtrip")).verdict, { timeout: 30_000 }).toBe("idle");
  let before: number[] = [];
  const unchanged = async () => {
    const now = await sequences(server);
    const same = now.length === before.length;
    before = now;
    return same;
  };
  await expect.poll(unchanged, { intervals: [1_000], timeout: 30_000 }).toBe(true);
  return before;
}

test("forty views are the same for whoever opens their URL", async ({ page, browser, javaScriptEnabled }) => {
  test.setTimeout(600_000);
  const script = javaScriptEnabled !== false;
  // A server of its own: apps of other tests are broken on purpose, and never stop making events.
  const server = await startServer();
  try {
    await quiet(server);
    const seqs = await still(server);
    await signIn(page, server);
    for (const url of states(seqs, 40)) {
      await page.goto(`${server.url}${url}`);
      if (script) await awake(page);
      const here = new URL(page.url());
      expect(await fresh(browser, page, server, here.pathname + here.search, script), url).toBe(await content(page));
    }
    expect(await sequences(server), "nothing happened meanwhile").toEqual(seqs);
  } finally {
    await end(page, server);
  }
});

test("each step is one entry of the history, and back and forward restore it", async ({ page, server, javaScriptEnabled }) => {
  const script = javaScriptEnabled !== false;
  await quiet(server);
  await signIn(page, server);
  await page.goto("/events?group=0");
  const seen: { url: string; text: string }[] = [];
  const note = async () => {
    if (script) await awake(page);
    seen.push({ url: page.url(), text: (await page.getByRole("heading", { level: 1 }).textContent())! });
  };
  await note();
  await page.locator(".facet").first().getByRole("link").first().click();
  await note();
  await page.locator("article.event .event-time").first().click();
  await page.waitForURL(/sel=ev_/);
  await note();
  await page.getByRole("searchbox", { name: "Text in events" }).fill("");
  await page.getByRole("searchbox", { name: "Text in events" }).pressSequentially("0123456789");
  if (script) expect(await page.evaluate(() => location.search)).toContain("sel=ev_");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=0123456789/);
  await note();
  for (const step of seen.slice(0, -1).reverse()) {
    await page.goBack();
    expect(page.url()).toBe(step.url);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(step.text);
  }
  for (const step of seen.slice(1)) {
    await page.goForward();
    expect(page.url()).toBe(step.url);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(step.text);
  }
});

test("words in the box of the filter become filters", async ({ page, server }) => {
  await quiet(server);
  await signIn(page, server);
  await page.goto("/events");
  await page.getByRole("searchbox", { name: "Text in events" }).fill("outcome:done -reason:PullBackoff app:roundtrip");
  await page.getByRole("button", { name: "Filter" }).click();
  for (const chip of ["outcome: done", "reason: not PullBackoff", "app: roundtrip"]) {
    await expect(page.getByRole("link", { name: `remove filter ${chip}` })).toBeVisible();
  }
  await expect(page.getByRole("searchbox", { name: "Text in events" })).toHaveValue("");
  await expect(page.locator("article.event").first()).toBeVisible();
  expect(await page.locator("article.event:not([data-outcome=done])").count()).toBe(0);
});
