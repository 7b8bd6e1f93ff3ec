import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One attempt to have a Vendure order invoiced. The key is stored before anything is sent, and outside of the request's
 * transaction: a rollback must not lose it. There is another attempt only after this one is CANCELLED or EXPIRED.
 */
@Entity('front_payment_attempt')
export class Attempt {
  /** The order's code, then `CODE/2`: each attempt has one of its own, so that a person finds it in Front Payment's portal. */
  @PrimaryColumn() reference: string;
  @Column() orderCode: string;
  @Column() number: number;
  @Column() key: string;
  /** The bridge's id of the order. */
  @Column({ default: '' }) orderId: string;
  @Column({ default: '' }) status: string;
  /** Whether Vendure has a payment for this attempt. */
  @Column({ default: false }) isPaid: boolean;
}
