// Sends every line that it is given to every open socket: by itself, or with what came within the same time. Says
// where it listens, keeps nothing, checks nobody.
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const batch_ms = Number(process.argv[2]);
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, clientTracking: true });
server.on("listening", () => console.log(`http://127.0.0.1:${server.address().port}`));

const send = (text) => {
  for (const client of server.clients) client.send(text);
};

let waiting = [];
const flush = () => {
  send(`{"frame":[${waiting.join(",")}]}`);
  waiting = [];
};
let size = 0;
createInterface({ input: process.stdin }).on("line", (line) => {
  if (batch_ms === 0) return send(line);
  if (waiting.length === 0) setTimeout(() => waiting.length > 0 && flush(), batch_ms);
  if (size + line.length > 16 * 1024) {
    flush();
    size = 0;
  }
  waiting.push(line);
  size = waiting.length === 1 ? line.length : size + line.length;
});
