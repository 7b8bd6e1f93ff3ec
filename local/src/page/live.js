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
  const reply = await fetch(location.href);
  if (!reply.ok) return;
  const next = new DOMParser().parseFromString(await reply.text(), 'text/html').querySelector('main');
  // Asked last: the user may have begun while the page was fetched.
  if (isFilledIn(main)) return;
  // Keep open details open, and keep the focus.
  const opened = [...main.querySelectorAll('details')].map((details) => details.open);
  next.querySelectorAll('details').forEach((details, index) => { details.open = opened[index] ?? false; });
  const reached = 'a, button, summary, [tabindex]';
  const focused = [...main.querySelectorAll(reached)].indexOf(document.activeElement);
  main.replaceChildren(...next.childNodes);
  main.querySelectorAll(reached)[focused]?.focus();
}

// Whether the user is typing, or has chosen or written something that a reload would lose.
function isFilledIn(main) {
  const fields = [...main.querySelectorAll('input, select, textarea')];
  return fields.some((field) => field === document.activeElement || isChanged(field));
}

function isChanged(field) {
  if (!field.matches('select')) return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  const options = [...field.options];
  // Without a default, the first option is shown.
  const shown = Math.max(options.findIndex((option) => option.defaultSelected), 0);
  return field.selectedIndex !== shown;
}
