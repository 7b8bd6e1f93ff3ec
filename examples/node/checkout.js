// What the shop does with an order: submit it, follow its status, release the goods.

// The goods may leave. Not at SENT (not signed yet), EXPIRED, CANCELLED, or while money goes back.
const MAY_LEAVE = ['RESERVED', 'INVOICED', 'PURRING', 'INKASSO', 'CHARGED', 'CAPTURED', 'PAID'];
const IS_OVER = ['EXPIRED', 'CANCELLED', 'REFUND_PENDING', 'PARTIAL_REFUNDED', 'REFUNDED'];
const NOT_ACCEPTED = ['SUBMITTING', 'UNKNOWN', 'FAILED', 'REJECTED'];

export class Checkout {
  constructor(bridge, orders) {
    Object.assign(this, { bridge, orders });
  }

  /**
   * Brings an order on: sends one that was not sent yet, asks for the status of any other. It may be called at any time and
   * any number of times: by the button, the thank-you page, a notification, a timer.
   */
  async advance(number) {
    const order = this.orders.find(number);
    if (['new', 'later', 'correct'].includes(order.state)) return this.#submit(order);
    // `accepted`, or `look`: Front Payment may have it. It is read, and never sent again by a program.
    const current = order.orderId && (await this.bridge.read(order.orderId));
    return current ? this.#follow(number, current) : order;
  }

  async #submit({ number, document, key }) {
    const { next, order, problem } = await this.bridge.submit(document, key);
    if (next === 'accepted') return this.#follow(number, order);
    // With the bridge's id, the order can be read later, whatever became of it.
    const stored = this.orders.find(number);
    if (stored.state === 'accepted') return stored; // by another request meanwhile
    return this.orders.save({ ...stored, orderId: problem?.orderId ?? stored.orderId, state: next, problem });
  }

  /** Does what a status says. Goods are released once, also if the same status is heard again. */
  #follow(number, { orderId, status, bankIdUrl, updatedAt = '' }) {
    const stored = this.orders.find(number); // anew: another request may have changed it meanwhile
    if (NOT_ACCEPTED.includes(status) || updatedAt < (stored.updatedAt ?? '')) return stored;
    const next = { ...stored, orderId, status, bankIdUrl, updatedAt, state: 'accepted', problem: undefined };
    if (MAY_LEAVE.includes(status)) next.released = true; // tell your warehouse here, if it was false
    if (IS_OVER.includes(status) && next.released) next.stop = true; // somebody has to stop the parcel, or expects it back
    return this.orders.save(next);
  }
}
