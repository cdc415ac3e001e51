// Hydration compares no text: what the server wrote stays until somebody writes it again. A page that wakes
// up long after it was rendered must therefore tell the time anew, by the server's clock where it knows it.
import type { Page } from "@playwright/test";
import { awake, expect, test } from "../support/console.ts";
import { type Server } from "../support/server.ts";
import { act, apply, envOf, signIn } from "../support/vt.ts";

const AWAY_MS = 130_000;
/** How far a text may lag: it is rewritten once a second. */
const LAG_S = 2;

interface Told {
  at: string;
  rel: string | null;
  text: string;
}

const told = (page: Page): Promise<Told[]> =>
  page.locator("time[datetime]").evaluateAll((times) =>
    times.map((time) => ({
      at: time.getAttribute("datetime")!,
      rel: time.getAttribute("data-rel"),
      text: time.textContent ?? "",
    })),
  );

const two = (n: number) => String(n).padStart(2, "0");

/** What the console says about so many seconds; ux.md 3.4. */
function words(s: number): string {
  if (s <= 0) return "now";
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
}

function says({ rel, text, at }: Told, seconds: number): boolean {
  switch (rel) {
    case "for":
      return text === words(seconds);
    case "ago":
      return text === (words(seconds) === "now" ? "now" : `${words(seconds)} ago`);
    case "until":
      return text === words(-seconds);
    case "clock":
      return text === `${Math.floor(Math.max(seconds, 0) / 60)}:${two(Math.max(seconds, 0) % 60)}`;
    default:
      // Absolute: the instant itself, in UTC.
      return text.includes(at.slice(11, 19));
  }
}

/** Texts that disagree with their `datetime`, if it is `now`. */
function stale(times: Told[], now: number): string[] {
  const lags = Array.from({ length: 2 * LAG_S + 1 }, (_, i) => i - LAG_S);
  const wrong = times.filter((time) => {
    const age = Math.floor((now - Date.parse(time.at)) / 1000);
    return !lags.some((lag) => says(time, age + lag));
  });
  return wrong.map(({ at, rel, text }) => `${rel ?? "absolute"} ${at}: ${text}`);
}

/** Loads a page, keeps its script back, and lets it come when the browser's clock is `AWAY_MS` further. */
async function wakesUpLate(page: Page, url: string): Promise<void> {
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  await page.unrouteAll();
  await page.route(/\/assets\/[^/]+\.js$/, async (route) => {
    await gate;
    await route.continue();
  });
  await page.clock.setSystemTime(Date.now());
  await page.goto(url, { waitUntil: "commit" });
  await page.locator("footer.foot").waitFor();
  // So late, what the server wrote is wrong: otherwise nothing is tested here.
  expect(stale(await told(page), Date.now() + AWAY_MS)).not.toEqual([]);
  await page.clock.setSystemTime(Date.now() + AWAY_MS);
  letGo();
  await awake(page);
}

/** A stuck app with an open wait, so that every kind of time is on its page. */
async function stuckAndWaitedFor(server: Server, app: string): Promise<{ path: string; receipt: string; wait: string }> {
  await apply(server, app, "healthy", true);
  await apply(server, app, "crash-at-start");
  await expect.poll(async () => (await envOf(server, app)).verdict, { timeout: 30_000 }).toBe("stuck");
  const { id, wait } = await act(server, app, "restart", {}, 600);
  return { path: (await envOf(server, app)).path, receipt: id, wait: wait! };
}

const within = { timeout: 2_000, intervals: [100] };

test("no time is stale after a late hydration, on any page, without a word from the server", async ({ page, server }) => {
  test.setTimeout(120_000);
  const { path, receipt, wait } = await stuckAndWaitedFor(server, "stale");
  await signIn(page, server);
  await page.clock.install();
  // Open, and silent: the page has only the time of its render and its own clock.
  await page.routeWebSocket(/\/live$/, () => {});
  for (const url of ["/", path, `${path}?open=rollback`, `/receipts/${receipt}`, "/waits", `/waits/${wait}`]) {
    await wakesUpLate(page, url);
    await expect.poll(async () => stale(await told(page), await page.evaluate(() => Date.now())), within).toEqual([]);
  }
});

test("no time is stale after a late hydration while news arrive", async ({ page, server }) => {
  test.setTimeout(120_000);
  const { path } = await stuckAndWaitedFor(server, "stale-live");
  await signIn(page, server);
  await page.clock.install();
  // The server's clock is as much further as the browser's.
  let frames = 0;
  await page.routeWebSocket(/\/live$/, (socket) => {
    const upstream = socket.connectToServer();
    upstream.onMessage((text) => {
      // One key, which says what it is: `{"heartbeat": {…}}`.
      const message = JSON.parse(String(text)) as Record<string, Record<string, unknown>>;
      for (const body of Object.values(message)) {
        for (const key of ["server_now", "store_read_at"]) {
          const at = body[key];
          if (typeof at === "string") body[key] = new Date(Date.parse(at) + AWAY_MS).toISOString();
        }
        frames += "state" in body ? 1 : 0;
      }
      socket.send(JSON.stringify(message));
    });
  });
  for (const url of ["/", path]) {
    await wakesUpLate(page, url);
    const agree = () => expect.poll(async () => stale(await told(page), Date.now() + AWAY_MS), within).toEqual([]);
    await agree();
    // Islands that render again must not bring back what they believe to be on the page.
    for (let i = 0; i < 3; i++) {
      const seen = frames;
      await expect.poll(() => frames, { timeout: 20_000 }).toBeGreaterThan(seen);
      await agree();
    }
  }
});

test("a browser whose clock is wrong tells the server's time", async ({ page, server }) => {
  test.setTimeout(60_000);
  const { path } = await stuckAndWaitedFor(server, "stale-clock");
  await signIn(page, server);
  await page.clock.install();
  await wakesUpLate(page, path);
  await expect.poll(async () => stale(await told(page), Date.now()), within).toEqual([]);
});
