// Starts the real `vt serve` on a free port with a data folder of its own, and stops exactly that
// process again. A server can be killed and started again on the same port and data.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Server {
  /** Where it listens, without a slash at the end. Stays the same when it is started again. */
  readonly url: string;
  /** Where its data lies. */
  readonly data: string;
  /** The one-time link that it printed, if it has printed one. */
  signInLink(): string | undefined;
  /** What it has said so far, for messages of failing tests. */
  log(): string;
  /** Ends it as a crash would: no word, no clean-up. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 15_000;

export async function startServer(args: string[] = []): Promise<Server> {
  const binary = process.env.VT_BIN;
  if (!binary) throw new Error("VT_BIN is not set; `cargo xtask test --only e2e` sets it");
  const data = await mkdtemp(join(tmpdir(), "vantage-e2e-"));
  const said: string[] = [];
  let signInLink: string | undefined;
  let child: ChildProcess;
  let url = "";

  const start = async (listen: string) => {
    signInLink = undefined;
    child = spawn(binary, ["serve", "--listen", listen, "--data", data, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface({ input: child.stderr! }).on("line", (line) => said.push(line));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("vt serve was not ready in time")), READY_WITHIN_MS);
      createInterface({ input: child.stdout! }).on("line", (line) => {
        said.push(line);
        url = /listening on (http:\/\/\S+)/.exec(line)?.[1] ?? url;
        // The link is the last line: with it the server has said everything.
        signInLink ??= /https?:\/\/\S+\/sign-in\S+/.exec(line)?.[0];
        if (url && signInLink) {
          clearTimeout(timer);
          resolve();
        }
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => reject(new Error(`vt serve ended with ${code ?? signal}`)));
    });
  };
  const stop = async () => {
    await end(child, "SIGTERM");
    await rm(data, { recursive: true, force: true });
  };
  try {
    await start("127.0.0.1:0");
  } catch (error) {
    await stop();
    throw new Error(`${error}\n${said.join("\n")}`);
  }
  return {
    get url() {
      return url;
    },
    data,
    signInLink: () => signInLink,
    log: () => said.join("\n"),
    kill: () => end(child, "SIGKILL"),
    restart: () => start(new URL(url).host),
    stop,
  };
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), STOPPED_WITHIN_MS);
  await gone;
  clearTimeout(timer);
}
