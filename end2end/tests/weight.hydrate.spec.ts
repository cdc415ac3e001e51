// What a first visit weighs, as it is sent: packed with brotli, the release build of the browser half, and the
// overview of the demo. A page that grows beyond the product's limits fails here.
import { brotliCompressSync } from "node:zlib";
import { awake, end, expect, test } from "../support/console.ts";
import { startServer } from "../support/server.ts";
import { api, signIn } from "../support/vt.ts";

const LIMITS = { html: 60_000, css: 8_000, "wasm + js": 300_000 };

test("a first visit to the overview stays within its weight", async ({ page }) => {
  test.skip(process.env.VT_SITE_FLAVOUR === "dev", "the development build is not what people load");
  test.setTimeout(120_000);
  const server = await startServer(["--demo"]);
  try {
    // All six apps of the demo, two of them judged bad already: the longest sentences there are.
    const bad = async () => {
      const { counts } = await api<{ counts: { total: number; attention: number } }>(server, "/overview");
      return counts.total >= 6 && counts.attention >= 2;
    };
    await expect.poll(bad, { timeout: 60_000 }).toBe(true);
    await signIn(page, server);
    const sizes = new Map<string, number>();
    page.on("response", (response) => {
      const path = new URL(response.url()).pathname;
      if (!path.startsWith("/assets/")) return;
      expect(response.headers()["content-encoding"], path).toBe("br");
      // What is sent, packed; the browser's own count of it is wrong for what it takes from a stream.
      sizes.set(path, Number(response.headers()["content-length"]));
    });
    // Nothing from the browser's cache: the weight is that of a first visit.
    const session = await page.context().newCDPSession(page);
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    const response = await page.goto(`${server.url}/`);
    await awake(page);
    const html = brotliCompressSync(await response!.body()).length;
    const of = (ends: RegExp) => [...sizes].reduce((sum, [path, bytes]) => sum + (ends.test(path) ? bytes : 0), 0);
    const weight = { html, css: of(/\.css$/), "wasm + js": of(/\.(wasm|js)$/) };
    console.log(`weight in bytes, brotli: ${JSON.stringify(weight)}`);
    for (const [part, bytes] of Object.entries(weight)) {
      expect(bytes, `${part} was measured`).toBeGreaterThan(500);
      expect(bytes, part).toBeLessThanOrEqual(LIMITS[part as keyof typeof LIMITS]);
    }
  } finally {
    await end(page, server);
  }
});

test("what a live page is told comes compressed", async ({ page }) => {
  const server = await startServer();
  try {
    await signIn(page, server);
    const agreed = await page.evaluate(async () => {
      const socket = new WebSocket(`ws://${location.host}/live`);
      await new Promise((open) => (socket.onopen = open));
      const hello = await new Promise<string>((told) => (socket.onmessage = (event) => told(event.data)));
      socket.close();
      return { extensions: socket.extensions, hello: Object.keys(JSON.parse(hello)) };
    });
    expect(agreed.extensions).toContain("permessage-deflate");
    expect(agreed.hello).toEqual(["hello"]);
  } finally {
    await end(page, server);
  }
});
