// The sandbox's pages in a browser, as somebody uses them, with JavaScript and without; and axe on every page.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import AxeBuilder from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const WIDTHS = { wide: { width: 1280, height: 900 }, phone: { width: 375, height: 740 } };
const SCREENSHOTS = process.env.SCREENSHOTS;
const SHOP_KEY = Buffer.from('ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk=', 'base64');
let local, browser, base;

before(async () => {
  local = spawn(process.env.LOCAL, ['--in-memory', '--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  base = await new Promise((resolve, reject) => {
    let printed = '';
    local.stdout.on('data', (text) => {
      printed += text;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(printed);
      if (found) resolve(found[0]);
    });
    local.once('exit', () => reject(new Error(`local ended: ${printed}`)));
  });
  // Without these flags, Chromium looks for servers outside of this machine.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
});

after(async () => {
  await browser?.close();
  local?.kill();
});

async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: WIDTHS.wide, ...options });
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.errors = errors;
  await page.goto(base + path);
  return page;
}

/** Sends the example order with this word, and opens its page. */
async function order(page, word) {
  await page.goto(`${base}/console`);
  await press(page, word);
  await page.getByRole('link', { name: 'Watch the order' }).click();
}

/** Presses the button of a word; its group may be closed. */
async function press(page, word) {
  const group = page.locator('details').filter({ has: page.getByRole('button', { name: word, exact: true, includeHidden: true }) });
  await group.evaluate((details) => { details.open = true; });
  await page.getByRole('button', { name: word, exact: true }).click();
}

/** Moves the clock by a button of the header. */
async function forward(page, step) {
  await page.getByText('Clock', { exact: true }).click();
  await page.getByRole('button', { name: step, exact: true }).click();
}

/** The status badge of an order's page. */
const hasStatus = (page, status) => page.locator('.facts .badge', { hasText: status }).first().waitFor({ timeout: 10_000 });

/** Until the page says it, by itself. */
const says = (page, text) => page.getByText(text).first().waitFor({ timeout: 10_000 });

test('an order is written as a form, sent, signed, and its page follows by itself', async () => {
  const page = await open('/');
  await page.getByText('Change the order').click();
  await page.getByLabel('Reference').fill('browser-1');
  await page.getByLabel('Total in kroner').fill('125.50');
  await page.getByRole('button', { name: 'Write it as JSON' }).click();
  assert.match(await page.getByLabel('Body').inputValue(), /"grandTotal": "125\.50"/);
  await page.getByRole('button', { name: 'Send it' }).click();
  await says(page, 'The bridge answers 201');
  const watched = await page.context().newPage();
  await watched.goto(await page.getByRole('link', { name: 'Watch the order' }).evaluate((link) => link.href));
  await hasStatus(watched, 'SENT');
  await page.getByRole('link', { name: 'Sign it with BankID' }).click();
  await says(page, '125.50 kr');
  await page.getByRole('button', { name: 'Sign' }).click();
  await says(page, 'Thank you for your order');
  await hasStatus(watched, 'INVOICED');
  await watched.getByText('As text').click();
  await says(watched, 'bridge to shop: notification INVOICED → 200, delivered');
  assert.deepEqual(page.errors, []);
});

test('an order is declined', async () => {
  const page = await open('/console');
  await page.getByRole('button', { name: 'Send the example order' }).click();
  await page.getByRole('link', { name: 'Sign it with BankID' }).click();
  await page.getByRole('button', { name: 'Decline' }).click();
  await says(page, 'The order was not completed');
});

test('a lost reply is explained, and healed by the callback of the order in the portal', async () => {
  const page = await open('/console');
  await press(page, 'lost-reply');
  await says(page, 'The bridge answers 504');
  await page.getByRole('link', { name: 'Watch the order' }).click();
  await hasStatus(page, 'UNKNOWN');
  await says(page, 'What UNKNOWN means');
  const portal = await page.context().newPage();
  await portal.goto(`${base}/front-payment/portal`);
  await portal.getByRole('row', { name: /lost-reply/ }).getByRole('button', { name: 'Sign' }).click();
  await hasStatus(page, 'INVOICED');
});

/** Sends an order, signs it, and opens its page as text. */
async function signed(page, word) {
  await order(page, word);
  const life = page.url();
  await page.getByRole('link', { name: 'Sign with BankID' }).click();
  await page.getByRole('button', { name: 'Sign' }).click();
  await page.goto(life);
  await page.getByText('As text').click();
}

test('a shop that is down for two minutes is told once the clock is moved', async () => {
  const page = await open('/console');
  await signed(page, 'shop-down');
  await page.getByText('notification INVOICED → timeout, undelivered').first().waitFor({ timeout: 20_000 });
  await forward(page, 'an hour');
  await says(page, 'notification INVOICED → 200, delivered');
});

test('the twelve attempts of 76 hours are watched in a moment', async () => {
  const page = await open('/console');
  await signed(page, 'shop-500');
  await says(page, 'notification INVOICED → 500, undelivered');
  // 1, 5, 15, 30 min: an hour each. 1, 2, 4, 8, 12, 24, 24 h, a fifth more or less: the last two take a day or two each.
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    await forward(page, 'an hour');
    await says(page, `"attempts": ${attempt}`);
  }
  for (let day = 1; day <= 9 && !(await page.getByText('"state": "failed"').isVisible()); day += 1) {
    await forward(page, 'a day');
    await page.waitForTimeout(500);
  }
  await says(page, '"attempts": 12');
  await says(page, '"state": "failed"');
});

test('the portal sets any status, loses and repeats callbacks, and comes back', async () => {
  const page = await open('/console');
  await order(page, 'lost-callback');
  await page.getByRole('link', { name: /^ODR/ }).click();
  await page.getByLabel('New status').selectOption('PAID');
  await page.getByLabel('Its callback').selectOption('gets lost');
  await page.getByRole('button', { name: 'Set the status' }).click();
  await hasStatus(page, 'PAID');
  await page.getByRole('link', { name: 'The same order' }).click();
  await hasStatus(page, 'SENT');
  await forward(page, 'an hour');
  await hasStatus(page, 'PAID');
  await page.getByRole('link', { name: /^ODR/ }).click();
  await page.getByRole('button', { name: 'Repeat the latest callback' }).click();
  await hasStatus(page, 'PAID');
});

test('what is filled in is kept when something happens elsewhere', async () => {
  const page = await open('/console');
  await order(page, 'lost-callback');
  await page.getByRole('link', { name: /^ODR/ }).click();
  const status = page.getByLabel('New status');
  await status.selectOption('PAID');
  await status.blur();
  const reloaded = page.waitForResponse((reply) => reply.url() === page.url());
  await fetch(`${base}/front-payment/clock`, { method: 'POST', body: new URLSearchParams({ forward: '1m' }), redirect: 'manual' });
  await (await reloaded).finished();
  await page.waitForTimeout(200);
  assert.equal(await status.inputValue(), 'PAID');
});

test('everything works without JavaScript', async () => {
  const page = await open('/console', { javaScriptEnabled: false });
  await page.getByRole('button', { name: 'Send the example order' }).click();
  await page.getByRole('link', { name: 'Watch the order' }).click();
  await forward(page, 'a day');
  assert.match(page.url(), /\/console\/orders\//);
  await says(page, 'ahead');
  await page.getByRole('button', { name: 'Reset the clock' }).click();
  assert.equal(await page.getByText('ahead').count(), 0);
});

test('a shop of its own goes on after the clock was moved by 15 days, and after a reset', async () => {
  const shop = await startShop();
  const page = await open('/console/orders');
  const first = await shop.order('first');
  await forward(page, 'a day');
  for (let day = 2; day <= 15; day += 1) await forward(page, 'a day');
  await says(page, 'The clock is 15 days ahead.');
  await shop.until(first, 'EXPIRED');
  const second = await shop.order('second');
  await shop.sign(second);
  await shop.until(second, 'INVOICED');
  await page.getByRole('button', { name: 'Reset the clock' }).click();
  await page.getByText('ahead').waitFor({ state: 'detached' });
  const third = await shop.order('third');
  await shop.sign(third);
  await shop.until(third, 'INVOICED');
  await fetch(`${base}/front-payment/portal/${second.orderUuid}/status`, { method: 'POST', body: 'status=PAID', redirect: 'manual' });
  await shop.until(second, 'PAID');
  assert.deepEqual(shop.refused, []);
  shop.close();
});

/** A shop as its own program: it has the real time, verifies webhooks, and ignores what is older than what it knows. */
async function startShop() {
  const known = new Map();
  const refused = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { 'webhook-id': id, 'webhook-timestamp': sentAt, 'webhook-signature': signature } = request.headers;
    const mac = createHmac('sha256', SHOP_KEY).update(`${id}.${sentAt}.${body}`).digest('base64');
    const isFresh = Math.abs(Date.now() / 1000 - Number(sentAt)) <= 300;
    if (signature !== `v1,${mac}` || !isFresh) {
      refused.push({ sentAt, signature });
      response.writeHead(403).end();
      return;
    }
    const { timestamp, data } = JSON.parse(body);
    if (timestamp >= (known.get(data.orderUuid)?.timestamp ?? '')) known.set(data.orderUuid, { timestamp, status: data.status });
    response.writeHead(204).end();
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const callbackUrl = `http://127.0.0.1:${server.address().port}/notification`;
  const example = JSON.parse(readFileSync(process.env.EXAMPLE_ORDER, 'utf8'));
  return {
    refused,
    close: () => { server.close(); server.closeAllConnections(); },
    async order(referenceNo) {
      const orderDate = String(Math.floor(Date.now() / 1000));
      const order = { ...example, referenceNo, orderDate, callback: { ...example.callback, callbackUrl } };
      const headers = { authorization: 'Bearer demo-webhooks-key', 'idempotency-key': referenceNo, 'content-type': 'application/json' };
      const reply = await fetch(`${base}/orders`, { method: 'POST', headers, body: JSON.stringify(order) });
      const created = await reply.json();
      assert.equal(reply.status, 201, JSON.stringify(created));
      return created;
    },
    sign: ({ bankIdUrl }) => fetch(`${bankIdUrl}/sign`, { method: 'POST', redirect: 'manual' }),
    async until({ orderUuid }, status) {
      for (let wait = 0; wait < 150 && known.get(orderUuid)?.status !== status; wait += 1) await setTimeout(100);
      assert.equal(known.get(orderUuid)?.status, status);
    },
  };
}

test('an order is notified again, and cancelled, from its page', async () => {
  const page = await open('/console');
  await order(page, 'lost-callback');
  await page.getByRole('button', { name: 'Notify again' }).click();
  await says(page, 'The bridge answers 202');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await says(page, 'The bridge answers 202');
  await hasStatus(page, 'CANCELLED');
});

test('the operator settles an order whose reply was lost', async () => {
  const page = await open('/console');
  await page.getByText('Change the order').click();
  await page.getByLabel('Reference').fill('settled-lost-reply');
  await page.getByRole('button', { name: 'Write it as JSON' }).click();
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.getByRole('link', { name: 'Watch the order' }).click();
  await page.getByRole('link', { name: 'Settle it as the operator' }).click();
  await forward(page, 'an hour'); // it waits once its attempt is a minute old
  const portal = await page.context().newPage();
  await portal.goto(`${base}/front-payment/portal`);
  const uuid = await portal.getByRole('row', { name: /settled-lost-reply/ }).getByRole('link').innerText();
  const row = page.getByRole('row', { name: /settled-lost-reply/ });
  await row.getByLabel(/Uuid/).fill(uuid);
  await row.getByRole('button', { name: 'It is this one' }).click();
  await says(page, 'Done');
  await page.getByRole('link', { name: 'The order', exact: true }).click();
  await hasStatus(page, 'SENT');
});

test('a page of another site can neither move the clock nor send an order', async () => {
  const other = createServer((request, response) => response.setHeader('content-type', 'text/html').end('<p>other</p>'));
  await new Promise((listening) => other.listen(0, '127.0.0.1', listening));
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${other.address().port}/`);
  const statuses = [];
  page.on('response', (reply) => statuses.push(reply.status()));
  await page.evaluate((url) => fetch(url, { method: 'POST', mode: 'no-cors', body: '{"forward":"1d"}' }), `${base}/front-payment/clock`);
  await page.evaluate((url) => fetch(url, { mode: 'no-cors' }), `${base}/front-payment/portal`);
  assert.deepEqual(statuses, [403, 403]);
  other.close();
  other.closeAllConnections();
});

for (const [name, viewport] of Object.entries(WIDTHS)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing, and nothing is wider than the page: ${name}, ${colorScheme}`, async () => {
      const page = await open('/console', { viewport, colorScheme });
      await press(page, 'lost-reply');
      const unknown = await page.getByRole('link', { name: 'Watch the order' }).getAttribute('href');
      await page.goto(`${base}/console`);
      await page.getByRole('button', { name: 'Send the example order' }).click();
      await check(page, 'answer', name, colorScheme);
      const life = await page.getByRole('link', { name: 'Watch the order' }).getAttribute('href');
      const bankId = await page.getByRole('link', { name: 'Sign it with BankID' }).getAttribute('href');
      await page.goto(base + life);
      await forward(page, 'an hour');
      await says(page, 'ahead');
      const inPortal = await page.getByRole('link', { name: /^ODR/ }).getAttribute('href');
      const pages = {
        try: '/console', api: '/console/api', orders: '/console/orders', 'no-orders': '/console/orders?search=nothing-like-it',
        explain: '/console/explain', explained: '/console/explain?call=https%3A%2F%2Fshop.example%2Fx',
        operator: '/console/operator', life, unknown, 'bank-id': new URL(bankId).pathname, portal: '/front-payment/portal',
        'portal-order': inPortal, shop: '/front-payment/shop', success: '/front-payment/shop/success',
        'no-such-link': '/front-payment/bankid/none', 'no-such-order': '/console/orders/nope',
        'no-such-page': '/console/nope', 'wrong-method': `${inPortal}/status`,
      };
      for (const [title, path] of Object.entries(pages)) {
        await page.goto(base + path);
        await check(page, title, name, colorScheme);
      }
    });
  }
}

async function check(page, title, name, colorScheme) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(' ')}`);
  assert.deepEqual(found, [], `${title}, ${name}, ${colorScheme}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${title} is ${overflow} px wider than a ${name} page`);
  if (SCREENSHOTS) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: `${SCREENSHOTS}/${title}-${name}-${colorScheme}.png`, fullPage: true });
  }
}
