// Parts of a page that ask for themselves anew: every so many seconds, while somebody looks at the page.
// <div data-every="15" hx-trigger="again" ...>
(() => {
  let last = performance.now();

  function again() {
    const parts = document.querySelectorAll("[data-every]");
    const due = [...parts].some((part) => performance.now() - last >= part.dataset.every * 1000 - 50);
    if (document.hidden || !due) return;
    last = performance.now();
    for (const part of parts) part.dispatchEvent(new Event("again"));
  }

  setInterval(again, 1000);
  document.addEventListener("visibilitychange", again);
})();
