"use strict";

const COLOURS = {
  "TRACKING": "#3ddc84", "UNCERTAIN": "#ffc857", "LOST": "#ff5449", "PAUSED": "#8ab4f8", "NO TARGET": "#9aa3ab",
};
const SMALLEST = 4; // A box of fewer pixels is a slip.
const get = (id) => document.getElementById(id);
const canvas = get("picture"), context = canvas.getContext("2d");
const plots = {
  probability: new Plot(get("plot-probability"), 1, "#3ddc84"),
  latency: new Plot(get("plot-latency"), 100, "#8ab4f8"),
  age: new Plot(get("plot-age"), 100, "#ffc857"),
};
let socket = null, pauseMs = 250;
let shown = null; // The picture that is on the canvas: {about, bitmap}.
let drag = null; // A box that is being drawn: the picture stands still meanwhile.
let state = { status: "CONNECTING" }, ownMessage = "";

// The token was in the address once; the cookie has it now, and the address may be shown to others.
if (location.search) history.replaceState(null, "", location.pathname);

function connect() {
  socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws");
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    pauseMs = 250;
    send({ type: "next" });
    send({ type: "next" });
  };
  socket.onmessage = ({ data }) => (typeof data === "string" ? received(JSON.parse(data)) : pictured(data));
  socket.onclose = () => {
    show({ ...state, status: "CONNECTING" });
    setTimeout(connect, pauseMs);
    pauseMs = Math.min(2 * pauseMs, 4000);
  };
}

function send(message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function received(message) {
  if (message.type === "state") show(message);
  else if (message.type === "error") say(message.error);
  else if (message.command === "record" && message.path) say(`recording: ${message.path}`);
  else say("");
}

function say(text) {
  ownMessage = text;
  get("message").textContent = text || state.message || "";
}

async function pictured(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(buffer, 4 + length)], { type: "image/jpeg" }));
  send({ type: "next" });
  if (drag) {
    bitmap.close();
    return;
  }
  if (shown) shown.bitmap.close();
  shown = { about, bitmap };
  draw();
}

function draw() {
  if (!shown) return;
  const { about, bitmap } = shown;
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  context.drawImage(bitmap, 0, 0);
  const scale = canvas.width / about.width;
  const thin = Math.max(canvas.width / 640, 1) * 1.5;
  context.lineWidth = thin;
  if (about.box && !drag) {
    context.strokeStyle = COLOURS[about.status] || "#fff";
    // Where the target was when this picture was captured, and one sigma of its centre.
    outline(about.box, scale, []);
    context.beginPath();
    const [cx, cy] = about.box, [sx, sy] = about.sigma;
    context.ellipse(cx * scale, cy * scale, Math.max(sx * scale, 1), Math.max(sy * scale, 1), 0, 0, 2 * Math.PI);
    context.stroke();
    // Where it is by now: the picture is always a little late.
    if (about.now) outline(about.now, scale, [4 * thin, 4 * thin]);
  }
  if (drag) {
    context.strokeStyle = "#fff";
    context.setLineDash([]);
    context.strokeRect(drag.x0, drag.y0, drag.x1 - drag.x0, drag.y1 - drag.y0);
  }
  document.body.dataset.shown = about.t_ns;
  document.body.dataset.index = about.index;
}

function outline([cx, cy, w, h], scale, dash) {
  context.setLineDash(dash);
  context.strokeRect((cx - w / 2) * scale, (cy - h / 2) * scale, w * scale, h * scale);
  context.setLineDash([]);
}

function show(message) {
  state = message;
  get("status").textContent = state.status;
  get("status").style.color = COLOURS[state.status] || "#e8eaec";
  get("message").textContent = ownMessage || state.message || "";
  get("pause").textContent = state.status === "PAUSED" ? "Resume" : "Pause";
  get("record").textContent = state.recording ? `Stop (${state.recording.s} s)` : "Record";
  get("record").classList.toggle("on", Boolean(state.recording));
  get("hint").hidden = state.status !== "NO TARGET" || Boolean(drag);
  const source = state.source;
  if (!source) return;
  get("source").textContent = source.condition === "playing" ? source.name : `${source.name}: ${source.condition}`;
  const now = performance.now() / 1000;
  number("probability", state.probability, (v) => v.toFixed(2), now);
  number("latency", state.latency_ms, (v) => `${v.toFixed(0)} ms`, now);
  number("age", state.age_ms, (v) => `${v.toFixed(0)} ms`, now);
  const rate = source.fps ? `${source.fps} frames a second` : "no frames";
  const known = { rtcp: "by the camera's clock", driver: "by the driver", stream: "by the stream's times",
    arrival: "by their arrival", file: "of the file" };
  get("facts").textContent = `${rate}, capture times ${known[source.timing] || source.timing}` +
    `, ${state.viewers} ${state.viewers === 1 ? "viewer" : "viewers"}`;
}

function number(name, value, text, now) {
  const known = value !== null && value !== undefined;
  get(name).textContent = known ? text(value) : "–";
  plots[name].add(now, known ? value : null);
}

function place(event) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  return [
    within((event.clientX - left) / width * canvas.width, canvas.width),
    within((event.clientY - top) / height * canvas.height, canvas.height),
  ];
}

canvas.addEventListener("pointerdown", (event) => {
  if (!shown || !event.isPrimary || event.button !== 0) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  const [x, y] = place(event);
  drag = { x0: x, y0: y, x1: x, y1: y };
  document.body.dataset.held = shown.about.t_ns;
  get("hint").hidden = true;
});

canvas.addEventListener("pointermove", (event) => {
  if (!drag || !event.isPrimary) return;
  [drag.x1, drag.y1] = place(event);
  draw();
});

canvas.addEventListener("pointerup", (event) => {
  if (!drag || !event.isPrimary) return;
  [drag.x1, drag.y1] = place(event);
  const { x0, y0, x1, y1 } = drag, about = shown.about, scale = about.width / canvas.width;
  ended();
  const w = Math.abs(x1 - x0) * scale, h = Math.abs(y1 - y0) * scale;
  if (w < SMALLEST || h < SMALLEST) return;
  const box = [(x0 + x1) / 2 * scale, (y0 + y1) / 2 * scale, w, h];
  // With the capture time of the picture it was drawn on.
  send({ type: "init", t_ns: about.t_ns, box });
});

canvas.addEventListener("pointercancel", ended);
addEventListener("keydown", (event) => {
  if (event.key === "Escape") ended();
});

function ended() {
  drag = null;
  delete document.body.dataset.held;
  draw();
}

get("reset").onclick = () => send({ type: "reset" });
get("pause").onclick = () => send({ type: state.status === "PAUSED" ? "resume" : "pause" });
get("record").onclick = () => send({ type: "record", on: !state.recording });
connect();
