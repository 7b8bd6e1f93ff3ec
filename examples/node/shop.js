// A shop of three routes: checkout, thank-you page, notifications. Start: node shop.js

import { createServer } from 'node:http';
import { Bridge } from './bridge.js';
import { Checkout } from './checkout.js';
import { verifyQuery, verifyWebhook } from './notification.js';
import { Orders } from './orders.js';

const env = process.env;
const port = Number(env.PORT ?? 8080);
const own = env.SHOP_URL ?? `http://127.0.0.1:${port}`; // as customers and the bridge reach this shop
const keys = (env.NOTIFY_KEYS ?? 'whsec_ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk=').split(',');
const orders = new Orders(env.ORDERS_FILE ?? 'orders.json');
const bridge = new Bridge({
  url: env.BRIDGE_URL ?? 'http://127.0.0.1:3000',
  apiKey: env.API_KEY ?? 'demo-shop-key',
  retryForMs: Number(env.RETRY_FOR_MS ?? 20_000), // as long as the customer waits
});
const checkout = new Checkout(bridge, orders);

/** The order that the bridge gets. Amounts are texts, because floating point is not exact. */
function documentOf(number) {
  const page = (name) => `${own}/${name}?order=${encodeURIComponent(number)}`;
  return {
    products: [{ name: 'Router', productId: 'R_1', quantity: '1', rate: '40.00', discount: '0', tax: '0', amount: '40.00' }],
    orderSummary: { subTotal: '40.00', totalTax: '0', totalDiscount: '0', grandTotal: '40.00' },
    orderDate: String(Math.floor(Date.now() / 1000)),
    customerDetails: {
      type: 'private', name: 'Kari Nordmann', email: 'kari@example.com', countryCode: '+47', msisdn: '46567468',
      personalNumber: '30908299902', address: { street: 'Klosterenget 144', zip: '7030', city: 'Trondheim', country: 'NO' },
    },
    referenceNo: number, // an order number, never a person's name
    invoiceFeeApplicable: true,
    callback: { callbackUrl: page('notification'), success: page('thank-you'), failure: page('thank-you') },
  };
}

const routes = {
  /** The customer presses "buy". Pressing twice, or a reload, is the same order and the same key. */
  async 'POST /checkout'(request) {
    const number = new URLSearchParams(await body(request)).get('order');
    if (!number) return { status: 400, text: 'no order' };
    if (!orders.find(number)) orders.create(number, documentOf(number));
    const order = await checkout.advance(number);
    return { status: 303, location: order.bankIdUrl ?? `${own}/thank-you?order=${encodeURIComponent(number)}` };
  },

  /** BankID sends the customer here, signed or not. The address proves nothing, so the bridge is asked. */
  async 'GET /thank-you'(request, url) {
    const number = url.searchParams.get('order') ?? '';
    if (!orders.find(number)) return { status: 404, text: 'no such order' };
    return { status: 200, text: sentence(await checkout.advance(number)) };
  },

  async 'GET /notification'(request, url) {
    const values = verifyQuery(url.search.slice(1), keys);
    return values ? notified(values.order) : { status: 403, text: 'not verified' };
  },

  async 'POST /notification'(request, url) {
    const event = verifyWebhook(request.headers, await body(request), keys);
    return event ? notified(event.data.referenceNo) : { status: 403, text: 'not verified' };
  },
};

/** A notification is a sign to read the order. So an old one, or the same one twice, does no harm. */
function notified(number) {
  if (!orders.find(number ?? '')) return { status: 404, text: 'no such order' };
  checkout.advance(number).catch(console.error); // after the answer: the bridge waits ten seconds at most
  return { status: 204 };
}

function sentence({ state, status, bankIdUrl, released, stop }) {
  if (released && !stop) return `Thank you! Your order is on its way. (${status})`;
  if (bankIdUrl) return `Please sign your order: ${bankIdUrl}`;
  if (state === 'accepted') return `Your order is ${status}.`;
  if (state === 'correct') return 'Something in your order is not right. Nothing was ordered.';
  if (state === 'later') return 'We could not place your order just now. We try again.';
  return 'We are checking your order. Please do not order again; we will write to you.';
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

// An order that was stored and not sent, or that the bridge could not take: it is sent again, with its key.
setInterval(() => {
  for (const { number, state } of Object.values(orders.all)) {
    if (state === 'new' || state === 'later') checkout.advance(number).catch(console.error);
  }
}, 60_000).unref();

createServer(async (request, response) => {
  const url = new URL(request.url, own);
  let answer;
  try {
    answer = (await routes[`${request.method} ${url.pathname}`]?.(request, url)) ?? { status: 404, text: 'no such page' };
  } catch (error) {
    console.error(error);
    answer = { status: 500, text: 'something failed' };
  }
  response.writeHead(answer.status, answer.location ? { location: answer.location } : { 'content-type': 'text/plain' });
  response.end(answer.text);
}).listen(port, '127.0.0.1', () => console.log(`the shop is at ${own}`));
