// Reloads the parts of a page that follow what happens. Without JavaScript, the user reloads.
const source = new EventSource('/front-payment/events');
let waiting;
// Also when the connection opens: something may have happened since the page was rendered.
source.onopen = source.onmessage = () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, 150);
};
addEventListener('pagehide', () => source.close());

async function show() {
  const reply = await fetch(location.href);
  if (!reply.ok) return;
  const next = new DOMParser().parseFromString(await reply.text(), 'text/html').querySelectorAll('[data-live]');
  document.querySelectorAll('[data-live]').forEach((part, index) => replace(part, next[index]));
}

function replace(part, next) {
  // Asked last: the user may have begun while the page was fetched.
  if (!next || isFilledIn(part)) return;
  // Keep open details open, and keep the focus.
  const opened = [...part.querySelectorAll('details')].map((details) => details.open);
  next.querySelectorAll('details').forEach((details, index) => { details.open = opened[index] ?? false; });
  const reached = 'a, button, summary, [tabindex]';
  const focused = [...part.querySelectorAll(reached)].indexOf(document.activeElement);
  part.replaceChildren(...next.childNodes);
  part.querySelectorAll(reached)[focused]?.focus();
}

// Whether the user is typing, or has chosen or written something that a reload would lose.
function isFilledIn(part) {
  const fields = [...part.querySelectorAll('input, select, textarea')];
  return fields.some((field) => field === document.activeElement || isChanged(field));
}

function isChanged(field) {
  if (!field.matches('select')) return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  const options = [...field.options];
  // Without a default, the first option is shown.
  const shown = Math.max(options.findIndex((option) => option.defaultSelected), 0);
  return field.selectedIndex !== shown;
}
