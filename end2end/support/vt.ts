// `vt` against the test's own server, and the app files that the story needs.
import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import type { Server } from "./server.ts";

const run = promisify(execFile);

const flags = (server: Server) => ["--server", server.url, "--data", server.data];

/** Runs one command and answers what it printed; a command that fails throws with what it said. */
export async function vt(server: Server, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.env.VT_BIN!, [...args, ...flags(server)], { timeout: 60_000 });
  return stdout;
}

/** Reads the API with the data folder's own token. */
export const api = <T>(server: Server, path: string): Promise<T> => ask<T>(server, path, {});

/** Writes through the API; every call is a request of its own. */
export const post = <T>(server: Server, path: string, body: unknown): Promise<T> =>
  ask<T>(server, path, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": randomUUID() },
    body: JSON.stringify(body),
  });

async function ask<T>(server: Server, path: string, init: { headers?: Record<string, string> } & RequestInit): Promise<T> {
  const token = (await readFile(join(server.data, "admin.token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}`, ...init.headers };
  const response = await fetch(`${server.url}/api/v1${path}`, { ...init, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export interface Receipt {
  id: string;
  trace_id: string;
  generation: number;
  wait: string | null;
  target: { app_id: string; env_id: string };
  plan: { intent: { release: string | null } };
}

/** Plans an action on `APP/prod` and confirms the plan, as the dialog does. */
export async function act(
  server: Server,
  app: string,
  verb: string,
  ask: { release?: string; process?: string; instances?: number } = {},
  wait_s: number | null = null,
): Promise<Receipt> {
  const env = `/envs/${app}:prod`;
  const plan = await post<{ expected_generation: number; hash: string }>(server, `${env}/plans/${verb}`, ask);
  const confirmed = { ask, generation: plan.expected_generation, plan_hash: plan.hash, reason: "the story", wait_s };
  return post(server, `${env}/actions/${verb}`, confirmed);
}

/** The id of `APP/prod` and the path of its page. */
export async function envOf(server: Server, app: string): Promise<{ id: string; path: string; verdict: string }> {
  const { target, judgement } = await api<{
    target: { app_id: string; env_id: string };
    judgement: { verdict: string };
  }>(server, `/envs/${app}:prod`);
  const path = `/a/${target.app_id}~${app}/${target.env_id}~prod`;
  return { id: target.env_id, path, verdict: judgement.verdict };
}

/** Sequences of all events, oldest first. */
export async function sequences(server: Server): Promise<number[]> {
  const { groups } = await api<{ groups: { event: { seq: number } }[] }>(server, "/events?group=0&limit=1000");
  return groups.map((group) => group.event.seq).reverse();
}

export interface Tail {
  /** The sequences that were printed so far, in the order of printing. */
  readonly seqs: number[];
  stop(): void;
}

/** Follows all events, as a colleague's terminal would. */
export function tail(server: Server): Tail {
  const child = spawn(process.env.VT_BIN!, ["events", "tail", "--all", "--json", ...flags(server)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const seqs: number[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const event = JSON.parse(line) as { seq?: number };
    if (event.seq !== undefined) seqs.push(event.seq);
  });
  return { seqs, stop: () => child.kill("SIGTERM") };
}

/** An app file whose process behaves like this. Back-off is short, so that a story fits into a test. */
export const appFile = (app: string, fault: string, instances = 4): string => `
app: ${app}
env: prod
processes:
  web:
    command: [${JSON.stringify(process.env.VT_BIN)}, demo-app, --fault, ${fault}, --port, "$PORT"]
    instances: ${instances}
    port: 8080
    health: { http: /healthz, interval: 200ms, timeout: 1s, failures: 3 }
    restart: { from: 50ms, to: 500ms }
    stop_grace: 2s
rollout: { strategy: rolling, max_unavailable: 1 }
`;

/** Applies an app file; with `wait` until it has converged. */
export async function apply(server: Server, app: string, fault: string, wait = false): Promise<string> {
  const file = join(server.data, `${app}-${fault}.yaml`);
  await writeFile(file, appFile(app, fault));
  return vt(server, "apply", "-f", file, "--reason", "the story", ...(wait ? ["--wait=30s"] : []));
}

/** Signs in with the link that the server printed. It works once, so a worker keeps what it got. */
export async function signIn(page: Page, server: Server): Promise<void> {
  const context = page.context();
  const known = sessions.get(server.url);
  if (known) {
    await context.addCookies(known);
    return;
  }
  await page.goto(server.signInLink()!);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${server.url}/`);
  sessions.set(server.url, await context.cookies());
}

const sessions = new Map<string, Awaited<ReturnType<ReturnType<Page["context"]>["cookies"]>>>();
