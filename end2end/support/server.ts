// Starts the real `vt serve` on a free port with a data folder of its own, and stops exactly that
// process again.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Server {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** The one-time link that it printed, if it has printed one. */
  signInLink(): string | undefined;
  /** Where its data lies. */
  readonly data: string;
  /** What it has said so far, for messages of failing tests. */
  log(): string;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 10_000;

export async function startServer(args: string[] = []): Promise<Server> {
  const binary = process.env.VT_BIN;
  if (!binary) throw new Error("VT_BIN is not set; `cargo xtask test --only e2e` sets it");
  const data = await mkdtemp(join(tmpdir(), "vantage-e2e-"));
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--data", data, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  let signInLink: string | undefined;
  const stop = async () => {
    await end(child);
    await rm(data, { recursive: true, force: true });
  };
  try {
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("vt serve was not ready in time")), READY_WITHIN_MS);
      createInterface({ input: child.stderr! }).on("line", (line) => said.push(line));
      createInterface({ input: child.stdout! }).on("line", (line) => {
        said.push(line);
        signInLink ??= /https?:\/\/\S+\/sign-in\S+/.exec(line)?.[0];
        const at = /listening on (http:\/\/\S+)/.exec(line)?.[1];
        if (at) {
          clearTimeout(timer);
          resolve(at);
        }
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => reject(new Error(`vt serve ended with ${code ?? signal}`)));
    });
    return { url, signInLink: () => signInLink, data, log: () => said.join("\n"), stop };
  } catch (error) {
    await stop();
    throw new Error(`${error}\n${said.join("\n")}`);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOPPED_WITHIN_MS);
  await gone;
  clearTimeout(timer);
}
