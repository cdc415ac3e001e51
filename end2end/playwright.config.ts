// Every spec runs twice: with JavaScript (`hydrate`) and without it (`ssr`). A spec whose name ends
// in `.hydrate.spec.ts` needs the browser half and runs in the first only. One that ends in
// `.alone.spec.ts` measures time: it runs when the others are done, so that it meters the console
// and not its neighbours (`--project=alone --no-deps` runs it by hand).
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { defineConfig, devices } from "@playwright/test";

const onPath = (names: string[]): string => {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // not in this folder
      }
    }
  }
  throw new Error("Chromium is not installed: apt-get install chromium");
};

export default defineConfig({
  testDir: "tests",
  fullyParallel: true,
  workers: 2,
  forbidOnly: process.env.CI === "true",
  // Only a test that hangs meets this: what must be quick has a bound of its own where it is expected.
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    ...devices["Desktop Chrome"],
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: onPath(["chromium", "chromium-browser", "google-chrome"]),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "hydrate", testIgnore: "**/*.alone.spec.ts" },
    {
      name: "ssr",
      use: { javaScriptEnabled: false },
      testIgnore: ["**/*.hydrate.spec.ts", "**/*.alone.spec.ts"],
    },
    { name: "alone", testMatch: "**/*.alone.spec.ts", dependencies: ["hydrate", "ssr"] },
  ],
});
