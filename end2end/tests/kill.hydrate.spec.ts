// The server dies in the middle of the story. Workloads die with it, and nobody misses an event.
import { readFile, readdir } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { awake, end, expect, test } from "../support/console.ts";
import { startServer } from "../support/server.ts";
import { apply, sequences, signIn, tail, vt } from "../support/vt.ts";

/** Processes of any workload of this app: the platform marks them in their environment. */
async function workloads(app: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // A process that ends while we look is not left over.
    const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    if (environment.split("\0").includes(`VT_APP=${app}`)) found.push(pid);
  }
  return found;
}

/** Sequences in the page's list, oldest first. */
const listed = (page: Page) =>
  page.locator("article.event").evaluateAll((rows) => rows.map((row) => Number(row.id.replace("ev_", ""))).reverse());

test("two browsers and a terminal see every event once, in order, across a kill of the server", async ({
  browser,
  page,
  complaints,
}) => {
  test.setTimeout(120_000);
  const app = "ledger";
  const server = await startServer();
  const terminal = tail(server);
  try {
    await signIn(page, server);
    const other = await (await browser.newContext({ storageState: await page.context().storageState() })).newPage();
    for (const reader of [page, other]) {
      await reader.goto(`${server.url}/events?group=0&from=-1h`);
      await awake(reader);
      await expect(reader.getByText("Live", { exact: true })).toBeVisible();
    }
    // The terminal begins at the head: only what it printed first is compared.
    await apply(server, app, "healthy", true);
    await expect.poll(() => terminal.seqs.length).toBeGreaterThan(3);
    await apply(server, app, "crash-at-start");
    await expect.poll(async () => (await vt(server, "status", "--app", app, "--env", "prod", "--json")).includes('"stuck"')).toBe(true);

    expect((await workloads(app)).length).toBeGreaterThan(3);
    await server.kill();
    // Before any restart: the grace time of the app file is 2 s.
    await expect.poll(() => workloads(app), { timeout: 4_000 }).toEqual([]);

    await server.restart();
    await vt(server, "rollback", "--app", app, "--env", "prod", "--reason", "after the crash", "--wait=30s");
    const first = terminal.seqs[0]!;
    const truth = (await sequences(server)).filter((seq) => seq >= first);
    const head = truth.at(-1)!;
    await expect.poll(() => terminal.seqs.at(-1), { timeout: 20_000 }).toBeGreaterThanOrEqual(head);
    expect(terminal.seqs.filter((seq) => seq <= head)).toEqual(truth);
    for (const reader of [page, other]) {
      await expect
        .poll(async () => (await listed(reader)).filter((seq) => seq >= first && seq <= head), { timeout: 30_000 })
        .toEqual(truth);
    }
    // A socket that fails while the server is gone is reported by the browser itself; nothing else may be.
    expect(complaints.take().filter((line) => !/WebSocket|ERR_CONNECTION/.test(line))).toEqual([]);
  } finally {
    terminal.stop();
    await end(page, server);
  }
});
