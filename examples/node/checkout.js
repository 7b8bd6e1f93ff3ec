// What the shop does with an order: submit it, follow its status, release the goods, cancel it.

import { isDeepStrictEqual } from 'node:util';

// The goods may leave. Not at SENT (not signed yet), EXPIRED, CANCELLED, or while money goes back.
const MAY_LEAVE = ['RESERVED', 'INVOICED', 'PURRING', 'INKASSO', 'CHARGED', 'CAPTURED', 'PAID'];
const IS_OVER = ['EXPIRED', 'CANCELLED'];
const NOT_ACCEPTED = ['SUBMITTING', 'UNKNOWN', 'FAILED', 'REJECTED'];

export class Checkout {
  constructor(bridge, orders) {
    Object.assign(this, { bridge, orders });
  }

  /**
   * The customer buys what is in the cart, and may press the button as often as they like. The cart has the `grandTotal` that
   * they were told. `documentOf(order, cart, reference)` makes the order document, with the personal number, which is never
   * stored. Returns the bridge's reply, if it has the order.
   */
  async buy(number, cart, documentOf) {
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { order, reference } = this.#putCart(number, cart);
      if (order.released || order.isBeingCancelled || order.cancelRefused) return undefined;
      const { order: accepted, problem } = await this.bridge.submit(documentOf(order, cart, reference), order.key);
      if (accepted) {
        this.#follow(number, { ...accepted, referenceNo: reference, grandTotal: cart.grandTotal });
        if (!IS_OVER.includes(accepted.status)) return accepted;
      } else if (problem.nextStep === 'read') {
        // The key has the order of an earlier cart. If it is not signed yet, the customer must not sign it any more.
        let earlier = await this.bridge.read(problem.orderId, true);
        if (earlier.status === 'SENT') {
          await this.#callOff(number, problem.orderId);
          earlier = await this.bridge.read(problem.orderId);
        }
        this.#follow(number, earlier);
        if (!IS_OVER.includes(earlier.status)) return undefined;
      } else {
        this.orders.change(number, (stored) => Object.assign(stored, { problem, orderId: problem.orderId ?? stored.orderId }));
        return undefined;
      }
      this.#takeNewKey(number, order.key);
    }
  }

  /** Asks the bridge for the order, and stores what it says. Sends nothing, so it may be called at any time. */
  async look(number, refresh = false) {
    const { key, orderId = (await this.bridge.find(key))?.orderId, earlier } = this.orders.find(number);
    for (const id of earlier) this.#follow(number, await this.bridge.read(id));
    const current = orderId && (await this.bridge.read(orderId, refresh));
    if (current) this.#follow(number, current);
    return current;
  }

  /** The customer does not want the order any more. That is stored first: if it does not reach the bridge, it is repeated. */
  async cancel(number) {
    const { orderId } = this.orders.find(number);
    if (orderId) {
      this.orders.change(number, (order) => (order.isBeingCancelled = true));
      await this.#callOff(number, orderId);
    }
    await this.look(number);
  }

  /** Reads what has changed, because notifications can be missed, and repeats cancellations without an answer. Every minute. */
  async catchUp() {
    for (const { number } of this.orders.all().filter((order) => order.isBeingCancelled)) await this.cancel(number);
    let page = {};
    do {
      page = await this.bridge.changed(this.orders.listedUntil, page.next);
      for (const current of page.orders) {
        const number = numberOf(current.referenceNo);
        if (await this.#isOwn(number, current.orderId)) this.#follow(number, current);
        else console.error(`not in this shop: ${current.orderId}, reference ${current.referenceNo}. Lost with a backup?`);
      }
    } while (page.next);
    this.orders.listedUntil = page.until;
  }

  /**
   * If the cancellation is refused while the order is SENT, nobody gets its link any more, and a person decides: the customer
   * would sign what they do not want.
   */
  async #callOff(number, orderId) {
    const problem = await this.bridge.cancel(orderId);
    this.orders.change(number, (order) => (order.cancelRefused = problem?.nextStep === 'read'));
  }

  /** The number proves nothing: a shop that was restored from a backup gives the numbers of lost orders to other customers. */
  async #isOwn(number, orderId) {
    const order = this.orders.find(number);
    if (!order) return false;
    const current = order.orderId ?? (await this.bridge.find(order.key))?.orderId;
    return orderId === current || order.earlier.includes(orderId);
  }

  /** Each change of the cart has a reference of its own, so that the shop knows which cart was invoiced. */
  #putCart(number, cart) {
    const order = this.orders.change(number, ({ released, carts }) => {
      if (!released && !isDeepStrictEqual(carts.at(-1), cart)) carts.push(cart);
    });
    return { order: { ...order }, reference: order.carts.length === 1 ? number : `${number}/${order.carts.length}` };
  }

  /**
   * The order of the key is cancelled or expired, so the customer gets a new one. That is the only reason for a new key. Another
   * request may have taken one meanwhile.
   */
  #takeNewKey(number, usedKey) {
    this.orders.change(number, (order) => {
      if (order.key !== usedKey) return;
      order.earlier.push(order.orderId);
      order.carts.push(order.carts.at(-1));
      Object.assign(order, {
        key: crypto.randomUUID(),
        orderId: undefined,
        status: undefined,
        updatedAt: undefined,
        isBeingCancelled: false,
      });
    });
  }

  /** Stores what the bridge says of an order. Goods are released once, also if the same status is heard again. */
  #follow(number, { orderId, orderUuid, status, referenceNo, grandTotal, cancelRequestedAt, updatedAt = '' }) {
    return this.orders.change(number, (order) => {
      if (order.earlier.includes(orderId)) {
        // A cancelled order should stay so. If it lives again, there may be two invoices, and a person has to look.
        order.alsoAlive = IS_OVER.includes(status) ? undefined : orderUuid;
        return;
      }
      if (order.updatedAt && updatedAt < order.updatedAt) return; // overtaken by a newer one
      const isBeingCancelled = Boolean(cancelRequestedAt) && !IS_OVER.includes(status);
      Object.assign(order, { orderId, status, updatedAt, isBeingCancelled });
      order.cancelRefused &&= status === 'SENT';
      if (!NOT_ACCEPTED.includes(status)) order.problem = undefined;
      const isSold = MAY_LEAVE.includes(status) && !cancelRequestedAt;
      const cart = order.carts[Number(referenceNo?.split('/')[1] ?? 1) - 1];
      const mayLeave = isSold && cart?.grandTotal === grandTotal;
      if (mayLeave) order.released ??= cart; // tell your warehouse here
      // Somebody stops the parcel, expects it back, or asks why the invoice has another amount.
      order.stop = !mayLeave && (isSold || Boolean(order.released));
    });
  }
}

/** The shop's number of an order, from its reference. */
export function numberOf(reference = '') {
  return reference.split('/')[0];
}
