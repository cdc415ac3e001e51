// `test` with two additions: one server for each worker, and a page on which any complaint of the
// browser fails the test: console errors and warnings, exceptions, and violations of the policy.
import { type Page, test as base } from "@playwright/test";
import { type Server, startServer } from "./server.ts";

export interface Complaints {
  /** What the browser complained about so far. */
  readonly list: string[];
  /** Takes what is there out of the list; for tests that provoke a complaint. */
  take(): string[];
}

export const test = base.extend<{ complaints: Complaints }, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  complaints: [
    async ({ page, javaScriptEnabled }, use) => {
      const list: string[] = [];
      await listen(page, list, javaScriptEnabled !== false);
      await use({ list, take: () => list.splice(0) });
      if (list.length > 0) throw new Error(`the browser complained:\n${list.join("\n")}`);
    },
    { auto: true },
  ],
});

export { expect } from "@playwright/test";

async function listen(page: Page, list: string[], script: boolean): Promise<void> {
  page.on("console", (message) => {
    // Without script nobody uses the browser half that the page asks for early.
    if (!script && message.text().includes("preloaded using link preload but not used")) return;
    if (["error", "warning", "assert"].includes(message.type())) list.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => list.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    // A page that is left while something loads aborts it; that is no fault.
    if (why !== "net::ERR_ABORTED") list.push(`request failed: ${request.url()} ${why}`);
  });
  // Violations are logged as errors too, except for those that a browser only reports.
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} blocked ${event.blockedURI}`);
    });
  });
}

/** Waits until every island of the page had its turn. */
export async function awake(page: Page): Promise<void> {
  await page.locator("html[data-awake]").waitFor({ state: "attached" });
}

/** Ends a server of the test's own. The page goes first, or its socket would complain that the server has gone. */
export async function end(page: Page, server: Server): Promise<void> {
  // A page that is closed already has gone.
  await page.goto("about:blank").catch(() => undefined);
  await server.stop();
}
