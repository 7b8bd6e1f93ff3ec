// Reloads the content of a page when something happens. Without JavaScript, the user reloads.
const source = new EventSource(document.currentScript.dataset.events);
let waiting;
// Also when the connection opens: something may have happened since the page was rendered.
source.onopen = source.onmessage = () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, 150);
};
addEventListener('pagehide', () => source.close());

async function show() {
  const main = document.querySelector('main[data-live]');
  const isTyping = main.contains(document.activeElement) && document.activeElement.matches('input, select, textarea');
  if (isTyping) return;
  const reply = await fetch(location.href);
  if (!reply.ok) return;
  const next = new DOMParser().parseFromString(await reply.text(), 'text/html').querySelector('main');
  // Keep open details open, and keep the focus.
  const opened = [...main.querySelectorAll('details')].map((details) => details.open);
  next.querySelectorAll('details').forEach((details, index) => { details.open = opened[index] ?? false; });
  const reached = 'a, button, summary, [tabindex]';
  const focused = [...main.querySelectorAll(reached)].indexOf(document.activeElement);
  main.replaceChildren(...next.childNodes);
  main.querySelectorAll(reached)[focused]?.focus();
}
