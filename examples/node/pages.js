// What the customer sees: where the order stands, and what can be done about it.

const escape = (text) => String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** `link` is there while the customer has to sign, `cameBack` after BankID has sent them back. */
export function orderPage(order, { link, cameBack }) {
  const { status, problem, released, stop, alsoAlive, cancelRefused, isBeingCancelled } = order;
  const errors = (problem?.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
  if (released && !stop) return page(`Thank you! Your order is on its way. (${status})`);
  if (stop || alsoAlive || cancelRefused) return page(`We are checking your order. We will write to you. (${status})`);
  const cancel = form('cancel', order, '<button>Cancel</button>');
  if (isBeingCancelled) return page('Your order is being cancelled. Look again in a minute.', cancel);
  if (status === 'SENT') {
    const text = cameBack ? 'We are waiting for the confirmation of your signature.' : 'Please sign your order.';
    const sign = link && `<p><a href="${escape(link)}">${cameBack ? 'Not signed yet? Sign' : 'Sign'} with BankID</a></p>`;
    return page(text, sign, cancel);
  }
  if (['SUBMITTING', 'UNKNOWN'].includes(status) || (!status && problem?.nextStep === 'look')) {
    return page('We are checking your order. Please do not order again; we will write to you.');
  }
  if (['EXPIRED', 'CANCELLED'].includes(status)) return page(`Your order is ${status}. You can order again.`, buy(order));
  if (status && !['FAILED', 'REJECTED'].includes(status)) return page(`Your order is ${status}.`);
  if (errors) return page(`Something is not right, and nothing was ordered: ${errors}`, buy(order));
  if (problem) return page('We could not place your order just now. Please try again.', buy(order));
  return page('Your cart', buy(order));
}

export function startPage() {
  return page(
    'A shop for routers',
    `<form method="post" action="cart">
<label>A word of the sandbox's <input name="word"></label> <button>Into the cart</button></form>`,
  );
}

/** The personal number is asked for each time, because the shop does not keep it. */
function buy(order) {
  const { quantity } = order.carts.at(-1) ?? { quantity: 1 };
  return form(
    'checkout',
    order,
    `<label>Routers <input name="quantity" value="${escape(quantity)}"></label>
<label>Personal number <input name="personalNumber" value="30908299902"></label> <button>Buy on invoice</button>`,
  );
}

function form(action, { number, secret }, inputs) {
  return `<form method="post" action="${action}"><input type="hidden" name="order" value="${escape(number)}">
<input type="hidden" name="secret" value="${escape(secret)}">${inputs}</form>`;
}

function page(text, ...parts) {
  return `<!doctype html><html lang="en"><title>Shop</title><p>${escape(text)}</p>${parts.filter(Boolean).join('\n')}</html>\n`;
}
