// The example shops against everything that the sandbox can do: never two orders, and no goods without one.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Sandbox, Shop, decide } from './shop.mjs';

for (const [language, format] of [
  ['node', 'front-payment'],
  ['node', 'standard-webhooks'],
  ['php', 'front-payment'],
  ['php', 'standard-webhooks'],
]) {
  describe(`${language}, ${format}`, { concurrency: 4 }, () => {
    let sandbox, shop;
    before(async () => {
      sandbox = await new Sandbox().start();
      shop = await new Shop(language, { format, bridge: sandbox }).start();
    });
    after(async () => {
      await shop?.stop();
      shop?.remove();
      await sandbox?.stop();
    });
    const count = async ({ order }) => (await sandbox.orders(order)).length;

    /** Buys, and signs, and the notification alone releases the goods. */
    async function buyAndSign(word) {
      const cart = await shop.cart(word);
      const link = await shop.buy(cart);
      assert.match(link, /\/front-payment\/bankid\//);
      assert.equal(shop.stored(cart).released, undefined, 'not signed yet');
      await decide(link, 'sign');
      assert.equal(await shop.isReleased(cart), 1, JSON.stringify(shop.stored(cart)));
      assert.equal(await count(cart), 1);
      assert.match(await shop.page(cart), /Your order is on its way/);
      return cart;
    }

    for (const word of [
      'plain',
      'slow',
      'duplicate-callback',
      'reversed-callbacks',
      'unknown-status',
      'bad-checksum',
      "O'Brien & <co>",
    ]) {
      test(`${word}: signed, told, released`, () => buyAndSign(word));
    }

    test('early-callback: invoiced at once', async () => {
      const cart = await shop.cart('early-callback');
      assert.match(await shop.buy(cart), /\/order\?/);
      assert.match(await shop.page(cart), /Your order is on its way/);
      assert.deepEqual([await count(cart), shop.stored(cart).released?.quantity], [1, 1]);
    });

    for (const [word, status] of [
      ['declined', 'CANCELLED'],
      ['expired', 'EXPIRED'],
    ]) {
      test(`${word}: nothing is released`, async () => {
        const cart = await shop.cart(word);
        const link = await shop.buy(cart);
        if (word === 'declined') await decide(link, 'decline');
        assert.ok(await shop.hasStatus(cart, status));
        assert.deepEqual([shop.stored(cart).released, await count(cart)], [undefined, 1]);
        assert.match(await shop.page(cart), new RegExp(`Your order is ${status}. You can order again.`));
        assert.equal(await count(cart), 1, 'the page sends nothing');
      });
    }

    test('lost-reply: not sent again, and released when it is signed in the portal', async () => {
      const cart = await shop.cart('lost-reply');
      assert.match(await shop.buy(cart), /\/order\?/);
      assert.match(await shop.page(cart), /do not order again/);
      await shop.buy(cart);
      const [{ uuid }, ...others] = await sandbox.orders(cart.order);
      assert.deepEqual([others, shop.stored(cart).released], [[], undefined]);
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await shop.isReleased(cart));
      assert.equal(await count(cart), 1);
    });

    test('error-500-created: a failure that is none is not answered by a second order', async () => {
      const cart = await shop.cart('error-500-created');
      await shop.buy(cart);
      await shop.buy(cart);
      const [{ uuid }, ...others] = await sandbox.orders(cart.order);
      assert.deepEqual(others, []);
      assert.match(await shop.page(cart), /do not order again/);
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await shop.isReleased(cart));
    });

    for (const [word, said] of [
      ['lost-request', /do not order again/],
      ['error-500', /do not order again/],
      ['error-510', /do not order again/],
      ['rejected', /nothing was ordered/],
      ['rate-limited', /Please try again/],
      ['unavailable', /Please try again/],
    ]) {
      test(`${word}: nothing is created and nothing released`, async () => {
        const cart = await shop.cart(word);
        const { key } = shop.stored(cart);
        await shop.buy(cart);
        assert.match(await shop.page(cart), said);
        assert.deepEqual([shop.stored(cart).released, shop.stored(cart).key, await count(cart)], [undefined, key, 0]);
      });
    }

    test('two clicks at once, and a reload, are one order', async () => {
      const cart = await shop.cart('twice');
      const links = await Promise.all([shop.buy(cart), shop.buy(cart), shop.buy(cart)]);
      links.push(await shop.buy(cart));
      assert.deepEqual([new Set(links).size, await count(cart)], [1, 1], links.join(' '));
    });

    test('a partial refund stops what was released', async () => {
      const cart = await buyAndSign('refunded');
      const [{ uuid }] = await sandbox.orders(cart.order);
      await sandbox.setStatus(uuid, 'PARTIAL REFUNDED');
      assert.ok(await shop.hasStatus(cart, 'PARTIAL_REFUNDED'));
      assert.equal(shop.stored(cart).stop, true);
    });

    test("a notification that is not the bridge's does nothing, and an old one no harm", async () => {
      const cart = await shop.cart('unverified');
      await shop.buy(cart);
      assert.equal(await shop.tell(cart.order, { key: 'another key' }), 403);
      assert.equal((await fetch(`${shop.base}/notification?order=${cart.order}`)).status, 403);
      assert.equal((await fetch(`${shop.base}/notification?order[]=1&checksum[]=1`)).status, 403);
      assert.equal(await shop.tell(cart.order), 204, 'verified, but the bridge says SENT');
      assert.equal(await shop.tellWebhook(cart.order, { key: Buffer.alloc(32).toString('base64') }), 403, 'another key');
      assert.equal(await shop.tellWebhook(cart.order, { age: 301 }), 403, 'too old');
      assert.equal(await shop.tellWebhook(cart.order, { change: (text) => text.replace('PAID', 'SENT') }), 403, 'changed');
      assert.equal((await fetch(`${shop.base}/notification`, { method: 'POST', body: '{}' })).status, 403, 'no signature');
      assert.equal(await shop.tellWebhook(cart.order), 204);
      assert.deepEqual([shop.stored(cart).status, shop.stored(cart).released], ['SENT', undefined]);
    });

    test("a verified notification of another shop's order is answered with 200, so it is not told again", async () => {
      assert.equal(await shop.tell('another'), 200);
      assert.equal(await shop.tell(undefined), 200);
      assert.equal(await shop.tellWebhook('another'), 200);
    });
  });
}
