import { DeepPartial, VendureEntity } from '@vendure/core';
import { Column, Entity, Unique } from 'typeorm';

/**
 * One attempt to have a Vendure order invoiced. The key is stored before anything is sent, and outside of the request's
 * transaction: a rollback must not lose it. There is another attempt only after this one is CANCELLED or EXPIRED.
 */
@Entity('front_payment_attempt')
@Unique(['orderCode', 'number'])
export class Attempt extends VendureEntity {
  constructor(input?: DeepPartial<Attempt>) {
    super(input);
  }
  @Column() orderCode: string;
  @Column() number: number;
  @Column() key: string;
  /** The bridge's id of the order. */
  @Column({ default: '' }) orderId: string;
  @Column({ default: '' }) status: string;
  /** Whether Vendure has a payment for this attempt. */
  @Column({ default: false }) isPaid: boolean;

  /** Each attempt has a reference of its own, so that a person finds the right one in Front Payment's portal. */
  get reference() {
    return this.number === 1 ? this.orderCode : `${this.orderCode}/${this.number}`;
  }
  static fromReference(reference = '') {
    const [orderCode, number = '1'] = reference.split('/');
    return { orderCode, number: Number(number) };
  }
}
