// The open time that is left ticks in place: it stands still while the service is closed, as the server told.
// <span data-left="5400" data-runs="1" data-turns="3600 7200">: seconds, and when it stops or runs again.
(() => {
  const born = new WeakMap(); // when each came, on the clock of the page
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  function left(span, age) {
    const turns = (span.dataset.turns || "").split(" ").filter(Boolean).map(Number);
    let seconds = Number(span.dataset.left);
    let runs = span.dataset.runs === "1";
    let since = 0;
    for (const turn of [...turns, age]) {
      const until = Math.min(turn, age);
      if (runs) seconds -= Math.max(until - since, 0);
      runs = !runs;
      since = Math.max(until, since);
    }
    return Math.floor(seconds);
  }

  function written(seconds) {
    const minutes = Math.floor(seconds / 60) % 60;
    const hours = Math.floor(seconds / 3600);
    if (hours) return `${hours}\u00a0h ${String(minutes).padStart(2, "0")}\u00a0min`;
    return `${minutes}\u00a0min` + (calm.matches ? "" : ` ${String(seconds % 60).padStart(2, "0")}\u00a0s`);
  }

  function tick() {
    for (const span of document.querySelectorAll("[data-left]")) {
      if (!born.has(span)) born.set(span, performance.now());
      const seconds = left(span, (performance.now() - born.get(span)) / 1000);
      const words = span.closest("[data-ahead]").dataset;
      const text = (seconds < 0 ? words.late : words.ahead).replace("{}", written(Math.abs(seconds)));
      if (span.textContent !== text) span.textContent = text;
    }
  }

  tick();
  setInterval(tick, 1000);
})();
