// The sandbox's pages in a browser, as somebody uses them, with JavaScript and without; and axe on every page.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const WIDTHS = { wide: { width: 1280, height: 900 }, phone: { width: 375, height: 740 } };
const SCREENSHOTS = process.env.SCREENSHOTS;
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

/** Sends the example order with this reference, and opens its page. */
async function order(page, word) {
  await page.goto(`${base}/console`);
  await page.getByRole('button', { name: word, exact: true }).click();
  await page.getByRole('link', { name: 'Watch the order' }).click();
}

/** Until the page says it, by itself. */
const says = (page, text) => page.getByText(text).first().waitFor({ timeout: 10_000 });

test('an order is written as a form, sent, signed, and its page follows by itself', async () => {
  const page = await open('/');
  await page.getByLabel('Reference').fill('browser-1');
  await page.getByLabel('Total in kroner').fill('125.50');
  await page.getByRole('button', { name: 'Write it as JSON' }).click();
  assert.match(await page.getByLabel('Body').inputValue(), /"grandTotal": "125\.50"/);
  await page.getByRole('button', { name: 'Send it' }).click();
  await says(page, 'The bridge answers 201');
  const watched = await page.context().newPage();
  await watched.goto(await page.getByRole('link', { name: 'Watch the order' }).evaluate((link) => link.href));
  await says(watched, 'Status: SENT');
  await page.getByRole('link', { name: 'Sign it with BankID' }).click();
  await says(page, '125.50 kr');
  await page.getByRole('button', { name: 'Sign' }).click();
  await says(page, 'Thank you for your order');
  await says(watched, 'Status: INVOICED');
  await watched.getByText('As text').click();
  await says(watched, 'bridge to shop: notification INVOICED → 200, delivered');
  assert.deepEqual(page.errors, []);
});

test('an order is declined', async () => {
  const page = await open('/console');
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.getByRole('link', { name: 'Sign it with BankID' }).click();
  await page.getByRole('button', { name: 'Decline' }).click();
  await says(page, 'The order was not completed');
});

test('a lost reply is explained, and healed by the callback of the order in the portal', async () => {
  const page = await open('/console');
  await page.getByRole('button', { name: 'lost-reply', exact: true }).click();
  await says(page, 'The bridge answers 504');
  await page.getByRole('link', { name: 'Watch the order' }).click();
  await says(page, 'Status: UNKNOWN');
  const portal = await page.context().newPage();
  await portal.goto(`${base}/front-payment/portal`);
  await portal.getByRole('row', { name: /lost-reply/ }).getByRole('button', { name: 'Sign' }).click();
  await says(page, 'Status: INVOICED');
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
  await page.getByRole('button', { name: 'an hour' }).click();
  await says(page, 'notification INVOICED → 200, delivered');
});

test('the twelve attempts of 76 hours are watched in a moment', async () => {
  const page = await open('/console');
  await signed(page, 'shop-500');
  await says(page, 'notification INVOICED → 500, undelivered');
  // 1, 5, 15, 30 min: an hour each. 1, 2, 4, 8, 12, 24, 24 h, a fifth more or less: the last two take a day or two each.
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    await page.getByRole('button', { name: 'an hour' }).click();
    await says(page, `"attempts": ${attempt}`);
  }
  for (let day = 1; day <= 9 && !(await page.getByText('"state": "failed"').isVisible()); day += 1) {
    await page.getByRole('button', { name: 'a day' }).click();
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
  await says(page, 'Status: PAID');
  await page.getByRole('link', { name: 'The same order in the bridge' }).click();
  await says(page, 'Status: SENT');
  await page.getByRole('button', { name: 'an hour' }).click();
  await says(page, 'Status: PAID');
  await page.getByRole('link', { name: /^ODR/ }).click();
  await page.getByRole('button', { name: 'Repeat the latest callback' }).click();
  await says(page, 'Status: PAID');
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
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.getByRole('link', { name: 'Watch the order' }).click();
  await page.getByRole('button', { name: 'a day' }).click();
  assert.match(page.url(), /\/console\/orders\//);
  await says(page, 'ahead');
});

for (const [name, viewport] of Object.entries(WIDTHS)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing, and nothing is wider than the page: ${name}, ${colorScheme}`, async () => {
      const page = await open('/console', { viewport, colorScheme });
      await page.getByRole('button', { name: 'Send it' }).click();
      const life = await page.getByRole('link', { name: 'Watch the order' }).getAttribute('href');
      const bankId = await page.getByRole('link', { name: 'Sign it with BankID' }).getAttribute('href');
      await page.goto(base + life);
      const inPortal = await page.getByRole('link', { name: /^ODR/ }).getAttribute('href');
      const pages = { try: '/console', api: '/console/api', orders: '/console/orders', explain: '/console/explain?call=https%3A%2F%2Fshop.example%2Fx', life, 'bank-id': new URL(bankId).pathname,
        portal: '/front-payment/portal', 'portal-order': inPortal, shop: '/front-payment/shop',
        success: '/front-payment/shop/success', 'not-found': '/front-payment/bankid/none' };
      for (const [title, path] of Object.entries(pages)) {
        await page.goto(base + path);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(' ')}`);
        assert.deepEqual(found, [], `${path}, ${name}, ${colorScheme}`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${path} is ${overflow} px wider than a ${name} page`);
        if (SCREENSHOTS) {
          mkdirSync(SCREENSHOTS, { recursive: true });
          await page.screenshot({ path: `${SCREENSHOTS}/${title}-${name}-${colorScheme}.png`, fullPage: true });
        }
      }
    });
  }
}
