// Texts that mean harm, in every place that shows text: nothing of them runs, loads or leads anywhere. The same texts
// go through every field and every page in server/tests/hostile.rs; here a real browser reads them.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { awake, expect, test } from "../support/console.ts";
import type { Server } from "../support/server.ts";
import { act, api, apply, post, signIn } from "../support/vt.ts";

test.describe.configure({ timeout: 300_000 });

const corpus = async (): Promise<string[]> =>
  JSON.parse(await readFile(new URL("../../server/testkit/src/hostile.json", import.meta.url), "utf8")) as string[];

/** Sends lines for the source `edge`; a field that does not take a text refuses its own line only. */
async function report(server: Server, lines: object[]): Promise<void> {
  const token = (await readFile(join(server.data, "admin.token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}` };
  const put = { method: "PUT", headers: { ...headers, "content-type": "application/json" }, body: "{}" };
  expect((await fetch(`${server.url}/api/v1/sources/edge`, put)).status).toBe(200);
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const answer = await fetch(`${server.url}/api/v1/sources/edge/observations`, { method: "POST", headers, body });
  expect(await answer.text()).toContain('"done":true');
}

const event = (text: string, i: number, key: string) => ({
  type: "event",
  key: `${key}-${i}`,
  at: new Date().toISOString(),
  kind: "machine",
  id: `m-${i}`,
  outcome: "failed",
  action: text.slice(0, 80),
  reason: text.slice(0, 80),
  controller: text.slice(0, 80),
  message: text,
  attempt: 3,
});

const worlds = new Map<string, Promise<string[]>>();

/** Every text in every place, and the pages that show it. Made once for each server. */
function world(server: Server): Promise<string[]> {
  const known = worlds.get(server.url);
  if (known) return known;
  const made = make(server);
  worlds.set(server.url, made);
  return made;
}

async function make(server: Server): Promise<string[]> {
  const texts = await corpus();
  await report(server, [
    { type: "object", kind: "cluster", id: "c", name: "c" },
    ...texts.flatMap((text, i) => [
      {
        type: "object",
        kind: "machine",
        id: `m-${i}`,
        name: text.slice(0, 900),
        generation: 2,
        observed_generation: 1,
        desired: { version: text.slice(0, 900), [text.slice(0, 80)]: "x" },
        current: { version: "old" },
        refs: [{ rel: "part_of", kind: "cluster", id: "c" }],
        conditions: [{ condition: text.slice(0, 80), status: "False", reason: text.slice(0, 80), message: text }],
      },
      { type: "object", kind: "named", id: text.slice(0, 150), name: text.slice(0, 900) },
      event(text, i, "first"),
      { ...event(text, i, "env"), app: "hostile", env: "prod" },
      { type: "log", kind: "machine", id: `m-${i}`, line: text, stream: "stderr" },
    ]),
  ]);
  await apply(server, "hostile", "healthy", true);
  const receipts = await act(server, "hostile", "scale", { instances: 0 });
  // The newest reasons are on one page; each of them is a restart of nothing.
  const paths = [`/receipts/${receipts.id}`];
  const env = "/envs/hostile:prod";
  for (const [i, reason] of texts.entries()) {
    const plan = await post<{ expected_generation: number; hash: string }>(server, `${env}/plans/restart`, {});
    const confirmed = { generation: plan.expected_generation, plan_hash: plan.hash, reason };
    const { id } = await post<{ id: string }>(server, `${env}/actions/restart`, confirmed);
    if (i % 12 === 0) paths.push(`/receipts/${id}`);
    if (i % 12 === 0) {
      const wait = await post<{ id: string }>(server, "/waits", { object: `machine:m-${i}`, timeout_s: 600 });
      paths.push(`/waits/${wait.id}`, `/o/machine/m-${i}`);
    }
  }
  const { target } = await api<{ target: { app_id: string; env_id: string } }>(server, env);
  const page = `/a/${target.app_id}~hostile/${target.env_id}~prod`;
  return [
    ...paths,
    page,
    `${page}?open=restart`,
    `${page}/releases`,
    `/actions/restart/plan?env=${target.env_id}`,
    "/",
    "/o/cluster/c",
    "/events",
    "/events?group=0",
    "/events?group=0&outcome=failed",
    "/receipts",
    "/waits",
    "/audit",
    "/sources",
  ];
}

/** What would have run: dialogs, calls of ours that only a text could make, and requests to elsewhere. */
async function trap(page: Page, server: Server): Promise<string[]> {
  const ran: string[] = [];
  page.on("dialog", (dialog) => {
    ran.push(`${dialog.type()}: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("popup", (popup) => ran.push(`popup: ${popup.url()}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${server.url}/`) && !url.startsWith("data:image/svg+xml,%3Csvg")) ran.push(`request: ${url}`);
  });
  return ran;
}

/** Elements that no page of ours has within its content. */
const STRANGE =
  "main :is(script, iframe, object, embed, img, video, audio, style, link, meta, base, math, template, marquee, portal), " +
  "[onerror], [onload], [onclick], [onfocus], [onmouseover], [ontoggle], [onbegin], [srcdoc], [style*='position:fixed'], " +
  ":is(a, area)[href]:not([href^='/'], [href^='#'], [href^='?']), form[action]:not([action^='/'])";

async function isInert(page: Page, path: string, ran: string[]): Promise<void> {
  expect(await page.locator(STRANGE).count(), `${path}: elements that texts have made`).toBe(0);
  expect(ran, path).toEqual([]);
}

test("no text runs on any page that shows it", async ({ page, server, javaScriptEnabled }) => {
  const paths = await world(server);
  const ran = await trap(page, server);
  await signIn(page, server);
  for (const path of paths) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(200);
    if (javaScriptEnabled !== false) await awake(page);
    await isInert(page, path, ran);
  }
});

test("no text runs where a page gives back what its address says", async ({ page, server, javaScriptEnabled }) => {
  const ran = await trap(page, server);
  await signIn(page, server);
  const texts = await corpus();
  // Each facet takes up to fifty values and each value some hundred characters; a dozen texts fit into one address.
  for (let i = 0; i < texts.length; i += 12) {
    const some = texts.slice(i, i + 12).map((text) => encodeURIComponent(text.slice(0, 100)));
    const facets = some.map((text, n) => `${["app", "env", "controller", "reason", "source", "actor"][n % 6]}=${text}`);
    for (const path of [`/events?q=${some[0]}&${facets.join("&")}`, `/search?q=${some[1]}`, `/audit?actor=${some[2]}&verb=${some[3]}`, `/sign-in?return_to=${some[4]}&link=${some[5]}`]) {
      const answer = await page.goto(path);
      expect(answer!.status(), path).toBeLessThan(500);
      if (javaScriptEnabled !== false) await awake(page);
      await isInert(page, path, ran);
    }
  }
});

test("no text runs that arrives while a page is open, or that is typed into it", async ({ page, server, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, "nothing arrives without JavaScript");
  await world(server);
  const ran = await trap(page, server);
  await signIn(page, server);
  const texts = await corpus();
  await page.goto("/events?group=0");
  await awake(page);
  await report(server, [...texts.map((text, i) => event(text, i, `live-${Date.now()}`)), event("that was all", 0, `last-${Date.now()}`)]);
  await expect(page.getByText("that was all").first()).toBeVisible();
  await isInert(page, "/events, live", ran);
  await page.goto("/");
  await awake(page);
  await page.keyboard.press("Control+k");
  const box = page.getByRole("combobox").or(page.getByRole("searchbox")).first();
  for (const text of texts.filter((text) => text.length < 200)) await box.fill(text);
  await box.fill("m-1");
  await isInert(page, "the palette", ran);
});
