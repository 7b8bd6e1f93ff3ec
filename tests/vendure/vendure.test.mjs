// Vendure sells through the bridge: never two invoices, and no payment without a signature.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { API_KEYS, NOTIFY_KEY, Sandbox, Wire, decide, until } from '../clients/shop.mjs';
import { Customer, Vendure } from './storefront.mjs';

const isAlive = ({ status }) => !['CANCELLED', 'EXPIRED'].includes(status);

for (const format of ['front-payment', 'standard-webhooks']) {
  describe(`told as ${format}`, () => {
    let sandbox, wire, vendure;
    before(async () => {
      sandbox = await new Sandbox().start();
      wire = await new Wire(sandbox).start();
      vendure = await new Vendure(wire, API_KEYS[format]).start();
    });
    after(async () => {
      await vendure?.stop();
      wire?.stop();
      await sandbox?.stop();
    });

    async function buy(word, options) {
      const customer = new Customer(vendure, word);
      const code = await customer.fill(options);
      return { customer, code, invoice: await customer.buy() };
    }
    const statuses = async (code) => (await sandbox.orders(code)).map(({ status }) => status).sort();
    const hasPayment = (code, state) =>
      until(async () => (await vendure.order(code)).payments?.some((payment) => payment.state === state));

    test('signed, told, paid: two rates of VAT, a coupon, freight, and no warning', async () => {
      const { code, invoice } = await buy('', { coupon: 'TI' });
      assert.equal((await vendure.order(code)).state, 'ArrangingPayment', 'not signed yet');
      await decide(invoice.bankIdUrl, 'sign');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'), vendure.log);
      const order = await vendure.order(code);
      assert.deepEqual([order.totalWithTax, order.payments.map(({ amount }) => amount)], [145383, [145383]]);
      assert.doesNotMatch(vendure.log, /mismatch|too_precise|unlikely/);
      assert.doesNotMatch(JSON.stringify(order) + vendure.log, /30908299902|bankid/);
    });

    test('declined: bought again with another key', async () => {
      const { customer, code, invoice } = await buy();
      await decide(invoice.bankIdUrl, 'decline');
      const again = await customer.buy();
      assert.notEqual(again.bankIdUrl, invoice.bankIdUrl);
      await decide(again.bankIdUrl, 'sign');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
      assert.deepEqual(await statuses(code), ['CANCELLED', 'INVOICED']);
    });

    if (format === 'standard-webhooks') return; // the rest has nothing to do with the format

    test('a company is invoiced at once', async () => {
      const customer = new Customer(vendure);
      const code = await customer.fill({ company: 'Nordmann AS' });
      assert.equal((await customer.buy({ organizationId: '974760673' })).status, 'INVOICED');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
      assert.equal((await vendure.order(code)).payments.length, 1, 'the reply and the notification are one payment');
    });

    test('a double click is one order and one payment', async () => {
      const customer = new Customer(vendure);
      const code = await customer.fill();
      const [first, second] = await Promise.all([customer.buy(), customer.buy()]);
      assert.equal(first.bankIdUrl, second.bankIdUrl);
      await decide(first.bankIdUrl, 'sign');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
      assert.deepEqual([await statuses(code), (await vendure.order(code)).payments.length], [['INVOICED'], 1]);
    });

    test('lost-reply: nothing is sent again, and the portal settles it', async () => {
      const { customer, code, invoice } = await buy('lost-reply');
      assert.match(invoice.message, /do not order again/);
      assert.match((await customer.buy()).message, /do not order again/);
      const [{ uuid }, ...others] = await sandbox.orders(code);
      assert.deepEqual(others, []);
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
    });

    test('error-500: nothing is sent again', async () => {
      const { code, invoice } = await buy('error-500');
      assert.equal(invoice.status, 'UNKNOWN');
      assert.deepEqual([await statuses(code), (await vendure.order(code)).state], [[], 'ArrangingPayment']);
    });

    test('a refused order says why, and is corrected with the same key', async () => {
      const customer = new Customer(vendure);
      const code = await customer.fill();
      assert.match((await customer.buy({ personalNumber: '123' })).message, /personalNumber/);
      await decide((await customer.buy()).bankIdUrl, 'sign');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
      assert.deepEqual(await statuses(code), ['INVOICED']);
    });

    test('the 201 never arrives: the notification makes the payment', async () => {
      wire.breakOff = 99;
      const customer = new Customer(vendure);
      const code = await customer.fill();
      const { message } = await customer.buy();
      wire.breakOff = 0;
      assert.match(message, /try again/);
      const [{ uuid }, ...others] = await sandbox.orders(code);
      assert.deepEqual(others, []);
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
    });

    test('a page that answers 200 swallows a notification, and the list has it', async () => {
      const { code, invoice } = await buy();
      vendure.front.maintenance = 0;
      await decide(invoice.bankIdUrl, 'sign');
      assert.ok(await until(() => vendure.front.maintenance > 0));
      vendure.front.maintenance = undefined;
      // A change is listed after ten seconds.
      assert.ok(await vendure.hasState(code, 'PaymentSettled'), vendure.log);
    });

    test('notifications twice, out of order and unverified change nothing', async () => {
      const { code, invoice } = await buy('reversed-callbacks-duplicate-callback');
      await decide(invoice.bankIdUrl, 'sign');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
      const tell = async (status, key = NOTIFY_KEY) => {
        const query = new URLSearchParams({
          referenceNo: code,
          orderUuid: 'ODR1',
          status,
          paymentMethod: '',
          amount: '1',
          createdAt: '1',
          timestamp: '2',
        });
        query.set(
          'checksum',
          createHash('sha256')
            .update([...query.values()].join('') + key)
            .digest('hex'),
        );
        return (await fetch(`${vendure.base}/front-payment/notification?${query}`)).status;
      };
      assert.deepEqual(
        await Promise.all([tell('SENT'), tell('CANCELLED'), tell('INVOICED'), tell('PAID', 'other')]),
        [204, 204, 204, 403],
      );
      const order = await vendure.order(code);
      assert.deepEqual([order.state, order.payments.map(({ state }) => state)], ['PaymentSettled', ['Settled']]);
    });

    test('a changed cart cancels the invoice that was sent', async () => {
      const { customer, code, invoice } = await buy();
      await customer.go('AddingItems');
      assert.deepEqual(await statuses(code), ['CANCELLED']);
      await customer.add(1, 1);
      await customer.go('ArrangingPayment');
      const again = await customer.buy();
      await decide(invoice.bankIdUrl, 'sign');
      assert.equal((await customer.check()).status, 'SENT', 'the first link is worth nothing');
      await decide(again.bankIdUrl, 'sign');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
      assert.deepEqual(await statuses(code), ['CANCELLED', 'INVOICED']);
    });

    test('a signed cart cannot be changed, though the callback is late', async () => {
      const { customer, code, invoice } = await buy('lost-callback');
      await decide(invoice.bankIdUrl, 'sign');
      await assert.rejects(customer.go('AddingItems'), /signed already/);
      assert.equal((await customer.check()).status, 'INVOICED');
      // The list has it only after ten seconds.
      assert.ok(await vendure.hasState(code, 'PaymentSettled', 8), 'the customer and the notification come at once');
      assert.equal((await sandbox.orders(code)).filter(isAlive).length, 1);
    });

    test('a cancelled invoice that lives again beside a new one is shown to a person', async () => {
      const { customer, code, invoice } = await buy();
      await decide(invoice.bankIdUrl, 'decline');
      await customer.buy();
      const [{ uuid }] = (await sandbox.orders(code)).filter(({ status }) => status === 'CANCELLED');
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.ok(await until(async () => (await vendure.order(code)).notes.some((note) => note.includes(uuid))), vendure.log);
      const order = await vendure.order(code);
      assert.deepEqual([order.state, order.payments], ['ArrangingPayment', []]);
    });

    test('a reserved payment is cancelled by the administrator', async () => {
      const { code } = await buy();
      const [{ uuid }] = await sandbox.orders(code);
      await sandbox.setStatus(uuid, 'RESERVED');
      assert.ok(await vendure.hasState(code, 'PaymentAuthorized'));
      const [{ id }] = (await vendure.order(code)).payments;
      await vendure.admin('mutation ($id: ID!) { cancelPayment(id: $id) { __typename } }', { id });
      assert.ok(await hasPayment(code, 'Cancelled'));
      assert.deepEqual(await statuses(code), ['CANCELLED']);
    });

    test('a reserved order that Front Payment cancels has its payment cancelled', async () => {
      const { code } = await buy();
      const [{ uuid }] = await sandbox.orders(code);
      await sandbox.setStatus(uuid, 'RESERVED');
      assert.ok(await vendure.hasState(code, 'PaymentAuthorized'));
      await sandbox.setStatus(uuid, 'CANCELLED');
      assert.ok(await hasPayment(code, 'Cancelled'));
    });

    test('a refund in the portal settles that of Vendure', async () => {
      const { code, invoice } = await buy();
      await decide(invoice.bankIdUrl, 'sign');
      assert.ok(await vendure.hasState(code, 'PaymentSettled'));
      const [{ id, amount, transactionId }] = (await vendure.order(code)).payments;
      const refunds = async () =>
        (await vendure.order(code)).payments[0].refunds.map(({ state, total }) => `${state} ${total}`).sort();
      for (const part of [10000, amount - 10000]) {
        const input = { paymentId: id, amount: part, reason: 'retur', lines: [], shipping: 0, adjustment: 0 };
        await vendure.admin('mutation ($input: RefundOrderInput!) { refundOrder(input: $input) { __typename } }', { input });
      }
      assert.deepEqual(await refunds(), ['Pending 10000', 'Pending 150770']);
      await sandbox.refund(transactionId, '100');
      assert.ok(await until(async () => (await refunds()).join() === 'Pending 150770,Settled 10000'), `${await refunds()}`);
      await sandbox.refund(transactionId, '1507.70');
      assert.ok(await until(async () => (await refunds()).join() === 'Settled 10000,Settled 150770'), `${await refunds()}`);
    });
  });
}
