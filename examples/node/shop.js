// A shop: cart, checkout, the order's page, notifications. Start: node shop.js

import { createServer } from 'node:http';
import { Bridge } from './bridge.js';
import { Checkout, numberOf } from './checkout.js';
import { isEqual, verifyQuery, verifyWebhook } from './notification.js';
import { Orders } from './orders.js';
import { orderPage, startPage } from './pages.js';

const MAX_BODY_BYTES = 100_000;
const [NET, PRICE] = [4000, 5000]; // of a router: øre, without and with 25 % VAT
const env = process.env;
const port = Number(env.PORT ?? 8080);
const own = env.SHOP_URL ?? `http://127.0.0.1:${port}`; // as customers and the bridge reach this shop
const keys = (env.NOTIFY_KEYS ?? 'whsec_ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk=').split(',');
const orders = new Orders(env.ORDERS_FILE ?? 'orders.json');
const bridge = new Bridge({
  url: env.BRIDGE_URL ?? 'http://127.0.0.1:3000',
  apiKey: env.API_KEY ?? 'demo-shop-key',
  retryForMs: Number(env.RETRY_FOR_MS ?? 20_000), // about as long as a customer waits
});
const checkout = new Checkout(bridge, orders);

const urlOf = (page, values) => `${own}/${page}?${new URLSearchParams(values)}`;
const pageOf = ({ number, secret }, values) => urlOf('order', { order: number, secret, ...values });

const kroner = (ore) => `${Math.trunc(ore / 100)}.${String(ore % 100).padStart(2, '0')}`;

/** The order that the bridge gets. Whole øre until the end, because floating point is not exact. */
function documentOf(personalNumber) {
  return (order, { quantity, grandTotal }, reference) => {
    const net = NET * quantity;
    return {
      products: [
        {
          name: 'Router',
          productId: 'R_1',
          quantity: String(quantity),
          rate: kroner(NET),
          discount: '0',
          tax: '25',
          amount: kroner(net),
        },
      ],
      orderSummary: { subTotal: kroner(net), totalTax: kroner(PRICE * quantity - net), totalDiscount: '0', grandTotal },
      orderDate: String(Math.floor(Date.now() / 1000)),
      customerDetails: {
        type: 'private',
        name: 'Kari Nordmann',
        email: 'kari@example.com',
        countryCode: '+47',
        msisdn: '46567468',
        personalNumber,
        address: { street: 'Klosterenget 144', zip: '7030', city: 'Trondheim', country: 'NO' },
      },
      referenceNo: reference, // an order number, never a person's name
      invoiceFeeApplicable: true,
      callback: {
        callbackUrl: urlOf('notification', { order: order.number }),
        success: pageOf(order, { back: 'success' }),
        failure: pageOf(order, { back: 'failure' }),
      },
    };
  };
}

const routes = {
  'GET /': () => ({ html: startPage() }),

  'POST /cart': ({ form }) => ({ location: pageOf(orders.create(form.get('word') ? `-${form.get('word')}` : '')) }),

  /** BankID sends the customer here, too, signed or not. The address proves nothing, so the bridge is asked. */
  async 'GET /order'({ query }) {
    const order = ownOrder(query);
    if (!order) return { status: 404, text: 'no such order' };
    const cameBack = query.get('back') === 'success';
    const current = await checkout.look(order.number, query.has('back')).catch(console.error);
    return { html: orderPage(orders.find(order.number), { link: current?.bankIdUrl, cameBack }) };
  },

  async 'POST /checkout'({ form }) {
    const order = ownOrder(form);
    const quantity = Number(form.get('quantity') ?? 1);
    if (!order) return { status: 404, text: 'no such order' };
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > 99) return { status: 400, text: 'how many?' };
    const cart = { quantity, grandTotal: kroner(PRICE * quantity) };
    const accepted = await checkout.buy(order.number, cart, documentOf(form.get('personalNumber')));
    return { location: accepted?.bankIdUrl ?? pageOf(order) };
  },

  async 'POST /cancel'({ form }) {
    const order = ownOrder(form);
    if (!order) return { status: 404, text: 'no such order' };
    await checkout.cancel(order.number);
    return { location: pageOf(order) };
  },

  async 'GET /notification'({ search }) {
    const values = verifyQuery(search, keys);
    return values ? notified(values.order) : { status: 403, text: 'not verified' };
  },

  async 'POST /notification'({ request, body }) {
    const event = verifyWebhook(request.headers, body, keys);
    return event ? notified(numberOf(event.data.referenceNo)) : { status: 403, text: 'not verified' };
  },
};

/** The order that these values name, if they also have its secret: order numbers can be guessed. */
function ownOrder(values) {
  const order = orders.find(values.get('order') ?? '');
  return order && isEqual(order.secret, values.get('secret')) ? order : undefined;
}

/** A notification is a sign to read the order. So an old one, or the same one twice, does no harm. */
async function notified(number) {
  // Not an order of this shop, and it does not become one if the bridge tells it again.
  if (!orders.find(number ?? '')) return { status: 200, text: 'verified, but there is no such order' };
  await checkout.look(number); // if this fails, the answer is a 500, and the bridge tells it again
  return { status: 204 };
}

async function bodyOf(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    if ((size += part.length) > MAX_BODY_BYTES) throw new Error('the body is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/**
 * At the start, and every minute. The shop may miss notifications while it is down, or while another page answers 200 in its
 * place, so this reads from the bridge what has changed.
 */
const catchUp = () => checkout.catchUp().catch(console.error);
setInterval(catchUp, Number(env.CATCH_UP_MS ?? 60_000)).unref();
catchUp();

async function answer(request) {
  const [path, search = ''] = request.url.split(/\?(.*)/s);
  const body = await bodyOf(request);
  const route = routes[`${request.method} ${path}`];
  return route?.({ request, search, body, query: new URLSearchParams(search), form: new URLSearchParams(body) });
}

createServer(async (request, response) => {
  let found;
  try {
    found = (await answer(request)) ?? { status: 404, text: 'no such page' };
  } catch (error) {
    console.error(error);
    found = { status: 503, text: 'something failed, try again' };
  }
  const { location, html, text, status = location ? 303 : 200 } = found;
  // The address contains the order's secret, and the page a link for one person: neither may be cached or passed on.
  const headers = {
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-type': `text/${html ? 'html' : 'plain'}; charset=utf-8`,
  };
  response.writeHead(status, location ? { ...headers, location } : headers);
  response.end(html ?? text);
}).listen(port, '127.0.0.1', () => console.log(`the shop is at ${own}`));
