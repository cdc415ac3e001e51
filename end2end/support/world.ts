// One stuck app and the routes that its things have: what every check about "all pages" walks over.
import { expect } from "@playwright/test";
import type { Server } from "./server.ts";
import { api, apply, vt } from "./vt.ts";

export interface World {
  routes: string[];
  env: string;
}

const worlds = new Map<string, Promise<World>>();

/** One stuck app, made once for each server, and the routes that its things have. */
export const world = (server: Server): Promise<World> => {
  const known = worlds.get(server.url);
  if (known) return known;
  const made = make(server);
  worlds.set(server.url, made);
  return made;
};

async function make(server: Server): Promise<World> {
  const app = "routes";
  await apply(server, app, "healthy", true);
  await apply(server, app, "crash-at-start");
  await expect
    .poll(async () => vt(server, "status", "--app", app, "--env", "prod", "--json"), { timeout: 20_000 })
    .toContain('"stuck"');
  await vt(server, "wait", "env", await envId(server, app), "--env", "prod", "--app", app, "--timeout", "1s").catch(() => "");
  const view = await api<{
    target: { app_id: string; app: string; env_id: string; env: string };
    instances: { object: string | null }[];
    releases: { release: { id: string } }[];
    receipts: { id: string }[];
    events: { seq: number }[];
  }>(server, `/envs/${app}:prod`);
  const waits = await api<{ id: string }[]>(server, "/waits");
  const [newest] = await api<{ seq: number }[]>(server, "/audit?limit=1");
  const [owned] = await api<{ object: { source: string } }[]>(server, "/objects?kind=env");
  const { target } = view;
  const env = `/a/${target.app_id}~${target.app}/${target.env_id}~${target.env}`;
  const instance = view.instances.find((row) => row.object)!.object!.replace("instance:", "");
  const release = view.releases.at(-1)!.release.id;
  const routes = [
    "/",
    env,
    `${env}?open=rollback:${release}`,
    `${env}/releases`,
    `/o/app/${target.app_id}`,
    `/o/env/${target.env_id}`,
    `/o/release/${release}`,
    `/o/instance/${instance}`,
    "/events",
    `/events?sel=ev_${view.events[0]!.seq}`,
    "/events?group=0&outcome=failed",
    "/events?q=nothing-has-this-text",
    "/receipts",
    `/receipts/${view.receipts[0]!.id}`,
    "/waits",
    ...waits.slice(0, 1).map((wait) => `/waits/${wait.id}`),
    `/actions/rollback/plan?env=${target.env_id}&release=${release}`,
    `/actions/scale/plan?env=${target.env_id}`,
    `/actions/delete/plan?env=${target.env_id}`,
    "/sources",
    `/sources/${owned!.object.source}`,
    "/audit",
    `/audit?before=${newest!.seq + 1}&sel=${newest!.seq}`,
    "/audit?verb=nothing-was-called-this",
    "/settings",
    "/doctor",
    "/search",
    "/search?q=routes",
    "/search?q=nothing-has-this-name",
    "/help/keys",
    "/codes",
    "/api",
    "/sign-in",
  ];
  return { routes, env };
}

async function envId(server: Server, app: string): Promise<string> {
  return (await api<{ target: { env_id: string } }>(server, `/envs/${app}:prod`)).target.env_id;
}

