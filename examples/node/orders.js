// The shop's own orders, in a JSON file. In your shop this is a table of your database.

import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export class Orders {
  constructor(file) {
    this.file = file;
    try {
      this.stored = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      this.stored = { orders: {}, listedUntil: undefined };
    }
  }

  all() {
    return Object.values(this.stored.orders);
  }

  find(number) {
    return Object.hasOwn(this.stored.orders, number) ? this.stored.orders[number] : undefined;
  }

  /**
   * The key is made once, with the order, and stored before anything is sent. A key that is made when the order is sent would
   * be another one after a crash, and the customer would get a second invoice. The secret keeps strangers from the order.
   */
  create(suffix) {
    const number = `${1001 + Object.keys(this.stored.orders).length}${suffix}`;
    this.stored.orders[number] = { number, secret: randomBytes(16).toString('hex'), key: randomUUID(), carts: [], earlier: [] };
    return this.change(number, () => {});
  }

  change(number, change) {
    change(this.stored.orders[number]);
    this.#save();
    return this.stored.orders[number];
  }

  /** Until when the list of changed orders was read. */
  get listedUntil() {
    return this.stored.listedUntil;
  }

  set listedUntil(instant) {
    this.stored.listedUntil = instant;
    this.#save();
  }

  #save() {
    writeFileSync(`${this.file}.new`, JSON.stringify(this.stored, null, 2));
    renameSync(`${this.file}.new`, this.file); // whole, or not at all
  }
}
