// Events as the server would send them, in any number and at any speed: what a page does with a storm must not
// depend on how fast a test machine can make one.
import type { Page, WebSocketRoute } from "@playwright/test";
import type { Server } from "./server.ts";
import { api } from "./vt.ts";

export interface FedEvent {
  seq: number;
  at: string;
  recorded_at: string;
  object: string;
  controller: string;
  action: string;
  outcome: string;
  reason: string;
  message: string;
}

interface Board {
  as_of: number;
  topic: unknown;
}

export interface Feed {
  /** Sends these as one frame that continues the page's cursor. */
  send(events: Partial<FedEvent>[]): void;
  /** Learns the cursor of the page that was loaded. */
  start(): Promise<void>;
}

/** Stands between the page and the server's socket; call it before the page is loaded. */
export async function feed(page: Page, server: Server): Promise<Feed> {
  const { groups } = await api<{ groups: { event: FedEvent }[] }>(server, "/events?limit=1");
  const model = groups[0]!.event;
  let socket: WebSocketRoute | undefined;
  let board: Board = { as_of: 0, topic: null };
  await page.routeWebSocket(/\/live$/, (route) => {
    socket = route;
    // What the server itself has to tell would move the page's cursor beyond the events that are fed.
    route.connectToServer().onMessage((text) => {
      const message = JSON.parse(String(text)) as { frame?: unknown; heartbeat?: { seq: number } };
      if (message.heartbeat) message.heartbeat.seq = board.as_of;
      if (!message.frame) route.send(JSON.stringify(message));
    });
  });
  return {
    async start() {
      board = JSON.parse((await page.locator("#vt-board").textContent())!) as Board;
      await page.getByText("Live", { exact: true }).waitFor();
    },
    send(events) {
      const after = board.as_of;
      const now = new Date().toISOString();
      const full = events.map((event, i) => ({ ...model, at: now, recorded_at: now, ...event, seq: after + i + 1 }));
      board.as_of = after + events.length;
      socket!.send(JSON.stringify({ frame: { topic: board.topic, after, to: board.as_of, events: full } }));
    },
  };
}
