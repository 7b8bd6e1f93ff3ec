// What goes wrong between a shop, its customers and the bridge. A test for each fault that a copied shop must not have.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { API_KEYS, Sandbox, Shop, Wire, decide, until, wait } from './shop.mjs';

const isAlive = ({ status }) => !['CANCELLED', 'EXPIRED'].includes(status);

for (const language of ['node', 'php']) {
  describe(`${language}: customers`, { concurrency: 4 }, () => {
    let sandbox, shop;
    before(async () => {
      sandbox = await new Sandbox().start();
      shop = await new Shop(language, { bridge: sandbox }).start();
    });
    after(async () => {
      await shop?.stop();
      shop?.remove();
      await sandbox?.stop();
    });
    const count = async ({ order }) => (await sandbox.orders(order)).length;

    test('a mistake can be corrected: the page sends nothing, the next purchase has the same key', async () => {
      const cart = await shop.cart('corrected');
      const { key } = shop.stored(cart);
      assert.match(await shop.buy(cart, { personalNumber: '123' }), /\/order\?/);
      assert.match(await shop.page(cart), /nothing was ordered: \/customerDetails\/personalNumber/);
      assert.match(await shop.page(cart), /name="personalNumber"/);
      assert.equal(await count(cart), 0);
      assert.match(await shop.buy(cart), /\/bankid\//);
      assert.deepEqual([await count(cart), shop.stored(cart).key], [1, key]);
      assert.match(await shop.page(cart), /Please sign your order/);
    });

    test('a declined order can be bought again: another key, another reference, and one order that lives', async () => {
      const cart = await shop.cart('again');
      const { key } = shop.stored(cart);
      const link = await shop.buy(cart);
      await decide(link, 'decline');
      assert.ok(await shop.hasStatus(cart, 'CANCELLED'));
      const next = await shop.buy(cart);
      assert.match(next, /\/bankid\//);
      assert.notEqual(next, link);
      assert.notEqual(shop.stored(cart).key, key);
      const orders = await sandbox.orders(cart.order);
      assert.deepEqual(orders.map(({ reference }) => reference).sort(), [cart.order, `${cart.order}/2`]);
      assert.equal(orders.filter(isAlive).length, 1);
      await decide(next, 'sign');
      assert.ok(await shop.isReleased(cart));
    });

    test('a changed cart cancels the order that was sent, and what was signed is what leaves', async () => {
      const cart = await shop.cart('changed');
      const link = await shop.buy(cart, { quantity: 1 });
      const next = await shop.buy(cart, { quantity: 3 });
      assert.match(next, /\/bankid\//);
      const orders = await sandbox.orders(cart.order);
      assert.deepEqual(orders.map(({ status }) => status).sort(), ['CANCELLED', 'SENT']);
      await decide(link, 'sign');
      assert.match(await shop.page(cart, 'success'), /confirmation of your signature/, 'the first link is worth nothing');
      await decide(next, 'sign');
      assert.equal(await shop.isReleased(cart), 3);
    });

    test('a cart that is changed after the signature changes nothing', async () => {
      const cart = await shop.cart('changed late');
      const link = await shop.buy(cart, { quantity: 1 });
      await decide(link, 'sign');
      assert.match(await shop.buy(cart, { quantity: 3 }), /\/order\?/);
      assert.equal(await shop.isReleased(cart), 1);
      assert.deepEqual(
        (await sandbox.orders(cart.order)).map(({ status }) => status),
        ['INVOICED'],
      );
    });

    test('two different carts at once are one order that lives, and goods of that cart', async () => {
      const cart = await shop.cart('two tabs');
      await Promise.all([shop.buy(cart, { quantity: 1 }), shop.buy(cart, { quantity: 2 })]);
      const alive = (await sandbox.orders(cart.order)).filter(isAlive);
      assert.ok(alive.length <= 1, JSON.stringify(alive));
      const link = await shop.buy(cart, { quantity: 2 });
      await decide(link, 'sign');
      assert.equal(await shop.isReleased(cart), 2);
      assert.equal((await sandbox.orders(cart.order)).filter(isAlive).length, 1);
    });

    test('a customer cancels, and buys again', async () => {
      const cart = await shop.cart('regretted');
      await shop.buy(cart);
      assert.match(await shop.page(cart), /<button>Cancel<\/button>/);
      await shop.cancel(cart);
      assert.ok(await shop.hasStatus(cart, 'CANCELLED'));
      assert.deepEqual(
        (await sandbox.orders(cart.order)).map(({ status }) => status),
        ['CANCELLED'],
      );
      assert.match(await shop.page(cart), /Your order is CANCELLED. You can order again./);
      await decide(await shop.buy(cart), 'sign');
      assert.ok(await shop.isReleased(cart));
    });

    test('cancel-refused: the changed cart is not ordered, nobody gets the link, and a person decides', async () => {
      const cart = await shop.cart('cancel-refused');
      const link = await shop.buy(cart, { quantity: 1 });
      assert.match(await shop.buy(cart, { quantity: 3 }), /\/order\?/);
      const orders = await sandbox.orders(cart.order);
      assert.deepEqual(
        orders.map(({ status }) => status),
        ['SENT'],
      );
      for (const back of [undefined, 'success']) assert.match(await shop.page(cart, back), /We are checking your order/);
      assert.match(await shop.buy(cart, { quantity: 1 }), /\/order\?/, 'no link');
      await sandbox.setStatus(orders[0].uuid, 'CANCELLED');
      assert.ok(await shop.hasStatus(cart, 'CANCELLED'));
      const next = await shop.buy(cart, { quantity: 3 });
      assert.notEqual(next, link);
      await decide(next, 'sign');
      assert.equal(await shop.isReleased(cart), 3);
    });

    test('cancel-refused: goods of an order that was signed in spite of it leave', async () => {
      const cart = await shop.cart('cancel-refused');
      const link = await shop.buy(cart);
      await shop.cancel(cart);
      assert.match(await shop.page(cart), /We are checking your order/);
      await decide(link, 'sign');
      assert.equal(await shop.isReleased(cart), 1);
      assert.match(await shop.page(cart), /Your order is on its way/);
    });

    test('cancel-lost: cancelled all the same, and bought again', async () => {
      const cart = await shop.cart('cancel-lost');
      await shop.buy(cart, { quantity: 1 });
      const next = await shop.buy(cart, { quantity: 3 });
      assert.match(next, /\/bankid\//);
      await decide(next, 'sign');
      assert.equal(await shop.isReleased(cart), 3);
      assert.equal((await sandbox.orders(cart.order)).filter(isAlive).length, 1);
    });

    test('cancel-hangs: no second order, and no goods, while nobody knows', async () => {
      const cart = await shop.cart('cancel-hangs');
      const link = await shop.buy(cart, { quantity: 1 });
      assert.match(await shop.buy(cart, { quantity: 3 }), /\/order\?/);
      assert.equal(await count(cart), 1);
      assert.match(await shop.page(cart), /being cancelled/);
      await decide(link, 'sign');
      assert.ok(await shop.hasStatus(cart, 'INVOICED'));
      assert.equal(shop.stored(cart).released, undefined);
      assert.match(await shop.page(cart), /<button>Cancel<\/button>/, 'the customer can try again');
    });

    test('the operator settles an order as not created: the customer goes on with the same key', async () => {
      const cart = await shop.cart('lost-request');
      const { key } = shop.stored(cart);
      await shop.buy(cart);
      assert.match(await shop.page(cart), /do not order again/);
      await sandbox.forward('11m');
      const { orderId } = shop.stored(cart);
      assert.equal((await sandbox.operator({ settle: { orderId, created: false } })).status, 'FAILED');
      assert.match(await shop.page(cart), /Please try again.*name="personalNumber"/s);
      await shop.buy(cart);
      assert.deepEqual([shop.stored(cart).key, await count(cart)], [key, 0]);
    });

    test('the operator settles an order with its uuid: the shop is told, and it can be signed in the portal', async () => {
      const cart = await shop.cart('lost-reply');
      await shop.buy(cart);
      const { orderId } = shop.stored(cart);
      const [{ uuid, reference }] = await sandbox.orders(cart.order);
      await sandbox.operator({ settle: { orderId, orderUuid: uuid, referenceNo: reference } });
      assert.ok(await shop.hasStatus(cart, 'SENT'));
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await shop.isReleased(cart));
    });

    test('a cancelled order that lives again beside a new one is shown to a person', async () => {
      const cart = await shop.cart('revived');
      await decide(await shop.buy(cart), 'decline');
      const [{ uuid }] = await sandbox.orders(cart.order);
      assert.ok(await shop.hasStatus(cart, 'CANCELLED'));
      await shop.buy(cart);
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await until(() => shop.stored(cart).alsoAlive === uuid), JSON.stringify(shop.stored(cart)));
      assert.match(await shop.page(cart), /We are checking your order/);
    });

    test('a stranger who guesses an order number gets no link, and cancels nothing', async () => {
      const cart = await shop.cart('guessed');
      await shop.buy(cart);
      for (const secret of ['', 'x'.repeat(32)]) {
        const stranger = { order: cart.order, secret };
        assert.equal(await shop.page(stranger), 'no such order');
        assert.equal(await shop.buy(stranger), null);
        assert.equal((await shop.cancel(stranger)).status, 404);
      }
      assert.deepEqual(
        (await sandbox.orders(cart.order)).map(({ status }) => status),
        ['SENT'],
      );
    });

    test('the personal number and the link are not stored', async () => {
      const cart = await shop.cart('private');
      const link = await shop.buy(cart);
      await shop.buy(await shop.cart('lost-reply'));
      const everything = shop.everything();
      assert.match(everything, /private/);
      assert.ok(!everything.includes('30908299902'));
      assert.ok(!everything.includes(link));
    });

    test('an address that is none does not end the shop', async () => {
      for (const target of ['//[', '*', 'http://[', '/order?%', '/%ff?order[]=1']) {
        await new Promise((resolve) => {
          const socket = connect(shop.port, '127.0.0.1', () =>
            socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
          );
          socket.on('close', resolve).on('error', resolve).resume();
        });
        assert.ok(await shop.answers(), target);
      }
    });

    test('what listen passes on is verified, and answered with a 2xx', async () => {
      const options = ['listen', '--url', sandbox.base, '--forward-to', `${shop.base}/notification`];
      const listen = spawn(process.env.LOCAL, options, { stdio: ['ignore', 'pipe', 'ignore'] });
      let printed = '';
      listen.stdout.on('data', (text) => (printed += text));
      try {
        assert.ok(await until(() => printed.includes('Passes notifications')), printed);
        const example = JSON.parse(readFileSync(new URL('../../examples/order.json', import.meta.url)));
        example.callback.callbackUrl = `${sandbox.base}/front-payment/shop/status`;
        for (const apiKey of Object.values(API_KEYS)) {
          const reply = await fetch(`${sandbox.base}/orders`, {
            method: 'POST',
            headers: { authorization: `Bearer ${apiKey}` },
            body: JSON.stringify(example),
          });
          await decide((await reply.json()).bankIdUrl, 'sign');
        }
        assert.ok(await until(() => printed.match(/INVOICED → 200/g)?.length === 2), printed);
      } finally {
        listen.kill();
      }
    });
  });

  // These stop something or need a shop of their own.
  describe(`${language}: when something is down`, { concurrency: 4 }, () => {
    /** A sandbox and a shop for one test. */
    async function together(look, options = {}, between = (sandbox) => sandbox) {
      const sandbox = await new Sandbox().start();
      const bridge = await between(sandbox);
      const shop = await new Shop(language, { bridge, ...options }).start();
      try {
        await look({ sandbox, shop, bridge });
      } finally {
        await shop.stop();
        shop.remove();
        if (bridge !== sandbox) bridge.stop();
        await sandbox.stop();
      }
    }

    test('a notification is answered with a 2xx only after it has been stored', () =>
      together(async ({ sandbox, shop }) => {
        const cart = await shop.cart('not read');
        await shop.buy(cart);
        await sandbox.stop();
        assert.equal(await shop.tell(cart.order), 503, 'the bridge does not tell the order');
        assert.equal(shop.stored(cart).status, 'SENT');
      }));

    test('a shop that is killed while it sends an order has one order, with the same key', () =>
      together(async ({ sandbox, shop }) => {
        const cart = await shop.cart('slow');
        const bought = shop.buy(cart).catch(() => undefined);
        await until(async () => (await sandbox.orders(cart.order)).length === 1);
        const { key } = shop.stored(cart);
        await shop.stop();
        await bought;
        await shop.start();
        // The personal number is gone, so the order is not sent, but found by its key.
        assert.ok(await until(async () => /Please sign your order/.test(await shop.page(cart))));
        assert.match(await shop.buy(cart), /\/bankid\//);
        assert.deepEqual([(await sandbox.orders(cart.order)).length, shop.stored(cart).key], [1, key]);
      }));

    test('a notification comes again after the shop was down', () =>
      together(async ({ sandbox, shop }) => {
        const cart = await shop.cart('shop was down');
        const link = await shop.buy(cart);
        await shop.stop();
        await decide(link, 'sign');
        await wait(500);
        await shop.start();
        await sandbox.forward('90s');
        assert.ok(await shop.isReleased(cart));
      }));

    test('a maintenance page that answers 200 swallows a notification, and the list has it', () =>
      together(async ({ sandbox, shop }) => {
        const cart = await shop.cart('maintenance');
        const link = await shop.buy(cart);
        await shop.stop();
        let told = 0;
        const maintenance = createServer((request, response) => response.end(`We are back soon. ${++told}`));
        await new Promise((resolve, reject) => maintenance.once('error', reject).listen(shop.port, '127.0.0.1', resolve));
        await decide(link, 'sign');
        assert.ok(await until(() => told > 0));
        maintenance.closeAllConnections();
        await new Promise((resolve) => maintenance.close(resolve));
        await shop.start();
        // A change is listed after ten seconds. They pass: the clock of the sandbox moves what is stored, and not the shop's `until`.
        const caughtUp = await until(async () => {
          await shop.catchUp();
          return shop.stored(cart).released?.quantity;
        });
        assert.equal(caughtUp, 1, shop.errors);
      }));

    test('an order that was lost with a backup releases no other of the same number', () =>
      together(async ({ sandbox, shop }) => {
        for (const lost of [await shop.cart(''), await shop.cart('')]) {
          await decide(await shop.buy(lost), 'sign');
          assert.ok(await shop.isReleased(lost));
        }
        await shop.stop();
        shop.forget();
        await shop.start();
        const [sent, unsent] = [await shop.cart(''), await shop.cart('')];
        assert.deepEqual([sent.order, unsent.order], ['1001', '1002'], 'the numbers are given again');
        await shop.buy(sent, { quantity: 7 });
        for (const { uuid, status } of [...(await sandbox.orders('1001')), ...(await sandbox.orders('1002'))])
          if (status === 'INVOICED') await sandbox.setStatus(uuid, 'PAID');
        const released = () => shop.stored(sent).released ?? shop.stored(unsent).released;
        const noticed = await until(async () => {
          await shop.catchUp();
          return released() ?? ['1001', '1002'].every((number) => shop.errors?.includes(`reference ${number}. Lost`));
        });
        assert.deepEqual([noticed, released()], [true, undefined], 'a person reads of both');
        assert.deepEqual([shop.stored(sent).status, shop.stored(unsent).status], ['SENT', undefined]);
      }));

    test('an invoice over another amount than the customer was told releases nothing', () =>
      together(async ({ shop }) => {
        const cart = await shop.cart('another amount');
        const link = await shop.buy(cart);
        await shop.stop();
        shop.edit(cart, ({ carts: [sent] }) => (sent.grandTotal = '49.00'));
        await shop.start();
        await decide(link, 'sign');
        assert.ok(await shop.hasStatus(cart, 'INVOICED'));
        assert.deepEqual([shop.stored(cart).released, shop.stored(cart).stop], [undefined, true]);
        assert.match(await shop.page(cart), /We are checking your order/);
      }));

    // By itself, because a bridge asks Front Payment only ten times a minute for shops.
    test('who has signed is not asked to sign, though the callback is late', () =>
      together(async ({ shop }) => {
        const unsigned = await shop.cart('lost-callback');
        await shop.buy(unsigned);
        assert.match(await shop.page(unsigned), /Please sign your order/);
        assert.match(await shop.page(unsigned, 'success'), /confirmation of your signature/);
        const signed = await shop.cart('lost-callback');
        await decide(await shop.buy(signed), 'sign');
        assert.match(await shop.page(signed, 'success'), /Your order is on its way/);
      }));

    test('a lost callback is noticed by the bridge, and the shop is told', () =>
      together(async ({ sandbox, shop }) => {
        const cart = await shop.cart('lost-callback');
        await decide(await shop.buy(cart), 'sign');
        assert.equal(shop.stored(cart).released, undefined);
        await sandbox.forward('2m 30s');
        assert.ok(await shop.isReleased(cart));
      }));

    test('while the bridge is down, an order waits; then it is bought with the same key', () =>
      together(
        async ({ sandbox, shop }) => {
          const cart = await shop.cart('bridge was down');
          const { key } = shop.stored(cart);
          await sandbox.stop();
          assert.match(await shop.buy(cart), /\/order\?/);
          assert.match(await shop.page(cart), /Please try again/);
          await sandbox.start();
          assert.match(await shop.buy(cart), /\/bankid\//);
          assert.deepEqual([(await sandbox.orders(cart.order)).length, shop.stored(cart).key], [1, key]);
        },
        { env: { RETRY_FOR_MS: '1500', RETRY_FOR_SECONDS: '1' } },
      ));

    test('a cancellation that does not reach the bridge is repeated', () =>
      together(
        async ({ sandbox, shop, bridge }) => {
          const cart = await shop.cart('cancelled while the bridge was down');
          await shop.buy(cart);
          bridge.maintenance = 0;
          await shop.cancel(cart);
          await shop.restart();
          bridge.maintenance = undefined;
          const cancelled = await until(async () => {
            await shop.catchUp();
            return shop.stored(cart).status === 'CANCELLED';
          }, 5);
          assert.ok(cancelled, JSON.stringify(shop.stored(cart)));
          assert.deepEqual(
            (await sandbox.orders(cart.order)).map(({ status }) => status),
            ['CANCELLED'],
          );
        },
        { env: { RETRY_FOR_MS: '1', RETRY_FOR_SECONDS: '1' } },
        (sandbox) => new Wire(sandbox).start(),
      ));

    test('an API key that is refused is no dead end', () =>
      together(
        async ({ sandbox, shop }) => {
          const cart = await shop.cart('unauthorized');
          const { key } = shop.stored(cart);
          assert.match(await shop.buy(cart), /\/order\?/);
          assert.match(await shop.page(cart), /Please try again/);
          shop.env.API_KEY = 'demo-shop-key';
          await shop.restart();
          assert.match(await shop.buy(cart), /\/bankid\//);
          assert.deepEqual([(await sandbox.orders(cart.order)).length, shop.stored(cart).key], [1, key]);
        },
        { env: { API_KEY: 'wrong' } },
      ));

    test('a 201 that breaks off in the middle is no acceptance: the same key gets it again', () =>
      together(
        async ({ sandbox, shop, bridge }) => {
          bridge.breakOff = 1;
          const cart = await shop.cart('broken off');
          assert.match(await shop.buy(cart), /\/bankid\//);
          assert.equal((await sandbox.orders(cart.order)).length, 1);

          bridge.breakOff = 99;
          const other = await shop.cart('broken off');
          assert.match(await shop.buy(other), /\/order\?/);
          assert.match(await shop.page(other), /Please sign your order/, 'found by its key, without the personal number');
          assert.equal((await sandbox.orders(other.order)).length, 1);
        },
        { env: { RETRY_FOR_MS: '4000', RETRY_FOR_SECONDS: '4' } },
        (sandbox) => new Wire(sandbox).start(),
      ));
  });
}

test("php: WordPress's slashes do not spoil a verification", async () => {
  const sandbox = await new Sandbox().start();
  const shop = await new Shop('php', { bridge: sandbox, slashes: true }).start();
  try {
    const cart = await shop.cart('O\'Brien "\\');
    await decide(await shop.buy(cart), 'sign');
    assert.ok(await shop.isReleased(cart), shop.errors);
  } finally {
    await shop.stop();
    shop.remove();
    await sandbox.stop();
  }
});
