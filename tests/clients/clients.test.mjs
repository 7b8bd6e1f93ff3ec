// The example shops against everything that the sandbox can do: never two orders, and no goods without one.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { NOTIFY_KEY, Sandbox, Shop, decide } from './shop.mjs';

for (const [language, format] of [['node', 'front-payment'], ['node', 'standard-webhooks'], ['php', 'front-payment'], ['php', 'standard-webhooks']]) {
  describe(`${language}, ${format}`, { concurrency: 4 }, () => {
    let sandbox, shop;
    before(async () => {
      sandbox = await new Sandbox().start();
      shop = await new Shop(language, format, sandbox).start();
    });
    after(async () => {
      await shop?.stop();
      shop?.remove();
      sandbox?.stop();
    });
    const count = async (number) => (await sandbox.orders(number)).length;

    /** Buys, and signs, and the notification alone releases the goods. */
    async function buyAndSign(number) {
      const link = await shop.buy(number);
      assert.match(link, /\/front-payment\/bankid\//);
      assert.equal(shop.stored(number).released, false, 'not signed yet');
      await decide(link, 'sign');
      assert.ok(await shop.isReleased(number), JSON.stringify(shop.stored(number)));
      assert.equal(await count(number), 1);
      assert.match(await shop.thankYou(number), /on its way/);
    }

    for (const word of ['plain', 'slow', 'duplicate-callback', 'reversed-callbacks', 'unknown-status', 'bad-checksum']) {
      test(`${word}: signed, told, released`, () => buyAndSign(`${word} ${language} 1`));
    }

    test('early-callback: invoiced at once', async () => {
      assert.match(await shop.buy('early-callback'), /\/thank-you\?/);
      assert.match(await shop.thankYou('early-callback'), /on its way/);
      assert.deepEqual([await count('early-callback'), shop.stored('early-callback').released], [1, true]);
    });

    test('declined, or expired: nothing is released', async () => {
      const link = await shop.buy('declined');
      await decide(link, 'decline');
      await shop.buy('expired');
      for (const [number, status] of [['declined', 'CANCELLED'], ['expired', 'EXPIRED']]) {
        for (let tries = 0; tries < 50 && shop.stored(number).status !== status; tries++) await new Promise((r) => setTimeout(r, 100));
        const { status: stored, released } = shop.stored(number);
        assert.deepEqual([stored, released, await count(number)], [status, false, 1]);
        assert.equal(await shop.thankYou(number), `Your order is ${status}.`);
      }
    });

    test('lost-reply: not sent again, and released when it is signed in the portal', async () => {
      assert.match(await shop.buy('lost-reply'), /\/thank-you\?/);
      assert.match(await shop.thankYou('lost-reply'), /do not order again/);
      await shop.buy('lost-reply');
      const [{ uuid }, ...others] = await sandbox.orders('lost-reply');
      assert.deepEqual([others, shop.stored('lost-reply').released], [[], false]);
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await shop.isReleased('lost-reply'));
      assert.equal(await count('lost-reply'), 1);
    });

    test('error-500-created: a failure that is none is not answered by a second order', async () => {
      await shop.buy('error-500-created');
      await shop.buy('error-500-created');
      const [{ uuid }, ...others] = await sandbox.orders('error-500-created');
      assert.deepEqual([others, shop.stored('error-500-created').state], [[], 'look']);
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await shop.isReleased('error-500-created'));
    });

    for (const [word, state, said] of [
      ['lost-request', 'look', /do not order again/],
      ['error-500', 'look', /do not order again/],
      ['error-510', 'look', /do not order again/],
      ['rejected', 'correct', /Nothing was ordered/],
      ['rate-limited', 'later', /We try again/],
      ['unavailable', 'later', /We try again/],
    ]) {
      test(`${word}: nothing is created and nothing released`, async () => {
        await shop.buy(word);
        const key = shop.stored(word).key;
        assert.match(await shop.thankYou(word), said);
        const stored = shop.stored(word);
        assert.deepEqual([stored.state, stored.released, stored.key], [state, false, key]);
        assert.equal(await count(word), 0);
      });
    }

    test('two clicks at once, and a reload, are one order', async () => {
      const links = await Promise.all([shop.buy('twice'), shop.buy('twice'), shop.buy('twice')]);
      links.push(await shop.buy('twice'));
      assert.deepEqual([new Set(links).size, await count('twice')], [1, 1], links.join(' '));
    });

    test('a partial refund stops what was released', async () => {
      await buyAndSign('refunded');
      const [{ uuid }] = await sandbox.orders('refunded');
      await sandbox.setStatus(uuid, 'PARTIAL REFUNDED');
      for (let tries = 0; tries < 100 && !shop.stored('refunded').stop; tries++) await new Promise((r) => setTimeout(r, 100));
      assert.equal(shop.stored('refunded').stop, true);
    });

    test('a notification that is not the bridge\'s does nothing, and an old one no harm', async () => {
      await shop.buy('forged');
      const get = (values, key) => {
        const query = new URLSearchParams({ order: 'forged', ...values });
        query.set('checksum', createHash('sha256').update([...query.values()].join('') + key).digest('hex'));
        return fetch(`${shop.base}/notification?${query}`);
      };
      const values = { orderUuid: 'ODR1', status: 'PAID', paymentMethod: '', amount: '40.00', createdAt: '1', timestamp: '2' };
      assert.equal((await get(values, 'another key')).status, 403);
      assert.equal((await fetch(`${shop.base}/notification?order=forged`)).status, 403);
      assert.equal((await get(values, NOTIFY_KEY)).status, 204, 'verified, but the bridge says SENT');
      assert.equal((await get({ ...values, order: 'nobody' }, NOTIFY_KEY)).status, 404);

      const post = (key, { age = 0, of = 'forged', change = (text) => text } = {}) => {
        const timestamp = String(Math.floor(Date.now() / 1000) - age);
        const text = JSON.stringify({ type: 'order.status', data: { status: 'PAID', referenceNo: of } });
        const secret = Buffer.from(key.replace('whsec_', ''), 'base64');
        const signature = createHmac('sha256', secret).update(`msg_1.${timestamp}.${text}`).digest('base64');
        const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': `v1,AAAA v1,${signature}` };
        return fetch(`${shop.base}/notification`, { method: 'POST', headers, body: change(text) });
      };
      assert.equal((await post(Buffer.alloc(32).toString('base64'))).status, 403, 'another key');
      assert.equal((await post(NOTIFY_KEY, { age: 301 })).status, 403, 'too old');
      assert.equal((await post(NOTIFY_KEY, { change: (text) => text.replace('PAID', 'SENT') })).status, 403, 'changed');
      assert.equal((await fetch(`${shop.base}/notification`, { method: 'POST', body: '{}' })).status, 403, 'no signature');
      assert.equal((await post(NOTIFY_KEY)).status, 204);
      assert.equal((await post(NOTIFY_KEY, { of: 'nobody' })).status, 404);
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.deepEqual([shop.stored('forged').status, shop.stored('forged').released], ['SENT', false]);
    });
  });

  // These stop the shop or move the clock, which is no good beside other tests.
  describe(`${language}, ${format}, when something is down`, () => {
    let sandbox, shop;
    before(async () => {
      sandbox = await new Sandbox().start();
      shop = await new Shop(language, format, sandbox).start();
    });
    after(async () => {
      await shop?.stop();
      shop?.remove();
      sandbox?.stop();
    });

    test('a shop that is killed while it sends an order has one order, with the same key', async () => {
      const bought = shop.buy('slow and killed').catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const { key } = shop.stored('slow and killed');
      await shop.stop();
      await bought;
      await shop.start();
      await new Promise((resolve) => setTimeout(resolve, 8000)); // the first attempt ends
      assert.match(await shop.buy('slow and killed'), /bankid/);
      assert.equal((await sandbox.orders('slow and killed')).length, 1);
      assert.equal(shop.stored('slow and killed').key, key);
    });

    test('a notification comes again after the shop was down', async () => {
      const link = await shop.buy('shop was down');
      await shop.stop();
      await decide(link, 'sign');
      await new Promise((resolve) => setTimeout(resolve, 500));
      await shop.start();
      assert.equal(shop.stored('shop was down').released, false);
      await sandbox.forward('90s');
      assert.ok(await shop.isReleased('shop was down'));
    });

    test('a lost callback is noticed by the bridge, and the shop is told', async () => {
      const link = await shop.buy('lost-callback');
      await decide(link, 'sign');
      assert.equal(shop.stored('lost-callback').released, false);
      await sandbox.forward('2m 30s');
      assert.ok(await shop.isReleased('lost-callback'));
    });

    test('while the bridge is down, an order waits, and is sent once', async () => {
      sandbox.stop();
      await shop.buy('bridge was down');
      assert.equal(shop.stored('bridge was down').state, 'later');
      assert.equal(shop.stored('bridge was down').released, false);
    });
  });
}
