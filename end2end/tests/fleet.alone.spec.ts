// A large fleet costs the browser no more than a small one: what is shipped is a page of it, whatever there is.
import { awake, end, expect, test } from "../support/console.ts";
import { type Server, startServer } from "../support/server.ts";
import { answered, observe, read, slowProcessor, TYPING } from "../support/vitals.ts";
import { api, post, signIn } from "../support/vt.ts";

/** Until what matters of the page is painted, on a processor a quarter as fast. */
const PAINT_MS = 500;
/** App-envs whose process exits at once; the others have none. */
const BROKEN = 20;
/** Requests at a time. */
const FILLERS = 8;

test.use({ trace: "off" });

async function fill(server: Server, envs: number): Promise<void> {
  const apply = async (first: number) => {
    for (let n = first; n < envs; n += FILLERS) {
      const web = n < BROKEN ? '{ command: ["false"], instances: 1 }' : '{ command: [sleep, "1000"], instances: 0 }';
      const manifest = `app: app-${n}\nenv: prod\nprocesses:\n  web: ${web}\n`;
      await post(server, "/apply", { manifest, reason: "a large fleet" });
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, (_, first) => apply(first)));
  // What has not been judged yet counts as unknown, and needs attention.
  const open = async () => {
    const { counts } = await api<{ counts: { total: number; attention: number; converging: number } }>(server, "/overview");
    return counts.total === envs ? counts.attention + counts.converging : envs;
  };
  await expect.poll(open, { timeout: 300_000 }).toBeLessThanOrEqual(BROKEN);
}

for (const envs of [1_000, 10_000]) {
  test(`the overview of ${envs} app-envs is painted soon and answers at once on a slow processor`, async ({ page }) => {
    test.skip(!process.env.VT_LAB, "making them takes minutes, and the limits hold on a machine of its own (VT_LAB=1)");
    test.skip(process.env.VT_SITE_FLAVOUR === "dev", "the development build is not what people load");
    test.setTimeout(900_000);
    const server = await startServer();
    try {
      await fill(server, envs);
      await signIn(page, server);
      await observe(page);
      await slowProcessor(page);
      for (const path of ["/", "/?view=grid"]) {
        await page.goto(`${server.url}${path}`);
        await awake(page);
        const { lcp } = await read(page);
        await page.keyboard.press("j");
        await page.keyboard.press("j");
        await page.keyboard.press("Control+k");
        await page.keyboard.type("app-77", TYPING);
        await page.keyboard.press("Escape");
        await answered(page, `${path} of ${envs} app-envs`);
        console.log(`${path} of ${envs} app-envs: largest paint after ${Math.round(lcp)} ms`);
        expect(lcp).toBeGreaterThan(0);
        expect(lcp, path).toBeLessThanOrEqual(PAINT_MS);
      }
    } finally {
      await end(page, server);
    }
  });
}
