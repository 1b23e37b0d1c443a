"use strict";

// A line of the last seconds in a small canvas. `least` is what the scale shows at least.
class Plot {
  constructor(canvas, least, colour) {
    this.canvas = canvas;
    this.least = least;
    this.colour = colour;
    this.values = [];
  }

  add(seconds, value) {
    this.values.push([seconds, value]);
    while (this.values.length && this.values[0][0] < seconds - Plot.SPAN_S) this.values.shift();
    this.draw(seconds);
  }

  draw(now) {
    const scale = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth * scale, height = this.canvas.clientHeight * scale;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    const top = Math.max(this.least, ...this.values.map(([, value]) => value ?? 0));
    context.strokeStyle = this.colour;
    context.lineWidth = 1.5 * scale;
    context.beginPath();
    let before = false;
    for (const [seconds, value] of this.values) {
      const known = value !== null && value !== undefined;
      const x = width * (1 - (now - seconds) / Plot.SPAN_S), y = height - 2 - (height - 4) * (value / top);
      if (known) before ? context.lineTo(x, y) : context.moveTo(x, y);
      before = known;
    }
    context.stroke();
  }
}
Plot.SPAN_S = 20;
