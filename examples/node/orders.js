// The shop's own orders, in a JSON file. In your shop this is a table of your database.

import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export class Orders {
  constructor(file) {
    this.file = file;
    try {
      this.all = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      this.all = {};
    }
  }

  find(number) {
    return Object.hasOwn(this.all, number) ? this.all[number] : undefined;
  }

  /**
   * The key is made once, with the order, and stored before anything is sent. A key that is made when the order is sent would
   * be another one after a crash, and the customer would get a second invoice.
   */
  create(number, document) {
    return this.save({ number, key: randomUUID(), document, state: 'new', released: false });
  }

  save(order) {
    this.all[order.number] = order;
    writeFileSync(`${this.file}.new`, JSON.stringify(this.all, null, 2));
    renameSync(`${this.file}.new`, this.file); // whole, or not at all
    return order;
  }
}
