import { randomUUID } from 'node:crypto';
import { Inject, Injectable, OnApplicationBootstrap } from '@nestjs/common';
import {
  Logger,
  Order,
  OrderService,
  PaymentService,
  RequestContext,
  RequestContextService,
  TransactionalConnection,
  isGraphQlErrorResult,
} from '@vendure/core';
import { Bridge, Order as BridgeOrder } from 'front-payment-bridge-client';
import { Attempt } from './attempt.entity.js';
import { Customer, documentOf, kroner } from './document.js';

export interface Options {
  bridgeUrl: string;
  apiKey: string;
  notifyKeys: string[];
  /** Vendure's public address, for notifications. */
  shopUrl: string;
  /** The storefront's page after BankID. It calls `checkInvoice`. */
  backUrl: string;
  invoiceFee: boolean;
  retryForMs?: number;
  /** How often to list what has changed. */
  catchUpEveryMs?: number;
}
export const OPTIONS = Symbol('front-payment');
export const METHOD = 'front-payment-invoice';

/** For the storefront: where the customer signs, or what to tell them. */
export type Invoice = Partial<Pick<BridgeOrder, 'status' | 'bankIdUrl'>> & { message?: string };

const MAY_LEAVE = ['RESERVED', 'INVOICED', 'PURRING', 'INKASSO', 'CHARGED', 'CAPTURED', 'PAID'];
const IS_OVER = ['CANCELLED', 'EXPIRED'];
const LONGEST_OUTAGE_MS = 7 * 24 * 3600 * 1000;

export const isSigned = ({ status, cancelRequestedAt }: BridgeOrder) => MAY_LEAVE.includes(status) && !cancelRequestedAt;

@Injectable()
export class InvoiceService implements OnApplicationBootstrap {
  readonly bridge: Bridge;
  private listedUntil = new Date(Date.now() - LONGEST_OUTAGE_MS).toISOString();
  private applied: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(OPTIONS) readonly options: Options,
    private connection: TransactionalConnection,
    private orders: OrderService,
    private payments: PaymentService,
    private contexts: RequestContextService,
  ) {
    this.bridge = new Bridge({ url: options.bridgeUrl, apiKey: options.apiKey, retryForMs: options.retryForMs });
  }

  onApplicationBootstrap() {
    const catchUp = () => this.catchUp().catch((error) => Logger.warn(error.message, METHOD));
    setInterval(catchUp, this.options.catchUpEveryMs ?? 60_000).unref();
  }

  /** The customer presses "buy", as often as they like: one key, so one order at the bridge. */
  async buy(ctx: RequestContext, order: Order, customer: Customer): Promise<Invoice> {
    for (let tries = 1; tries <= 3; tries++) {
      const attempt = await this.openAttempt(order.code);
      const document = documentOf(ctx, order, customer, attempt.reference, this.options);
      const { order: accepted, problem } = await this.bridge.submit(document, attempt.key);
      if (accepted) {
        for (const { pointer, code } of accepted.warnings ?? []) Logger.warn(`${order.code}: ${code} at ${pointer}`, METHOD);
        await this.save(attempt, accepted);
        if (!IS_OVER.includes(accepted.status)) return accepted; // the notification makes the payment
      } else if (problem.nextStep === 'read') {
        // The key has an order with another cart or address, which the customer must not sign any more.
        const message = await this.callOff(order.code);
        if (message) return { message };
      } else {
        Logger.warn(`${order.code}: ${problem.type} ${problem.detail}`, METHOD);
        if (problem.nextStep === 'look')
          return { status: 'UNKNOWN', message: 'We are checking your order. Please do not order again; we will write to you.' };
        const errors = problem.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
        return { message: errors ?? 'The invoice could not be created just now. Please try again.' };
      }
    }
    return { message: 'The invoice could not be created. Please try again.' };
  }

  /** Reads the order of an attempt at the bridge, and brings Vendure's payment to the same status. */
  async follow(attempt: Attempt, refresh = false): Promise<Invoice> {
    const current = await this.read(attempt, refresh);
    if (!current) return {};
    const ctx = await this.contexts.create({ apiType: 'admin' });
    const apply = () => this.connection.withTransaction(ctx, (tx) => this.apply(tx, attempt, current));
    // One after the other: a customer and a notification come at once, and sql.js has one transaction for both.
    await (this.applied = this.applied.then(apply, apply));
    return current.cancelRequestedAt ? { status: current.status } : current; // nobody signs what is being cancelled
  }

  /** Cancels the order of the latest attempt, if there is one: not signed yet, or `evenSigned`. Returns why not. */
  async callOff(orderCode: string, evenSigned = false): Promise<string | undefined> {
    const attempt = await this.latest(orderCode);
    let current = attempt && !IS_OVER.includes(attempt.status) ? await this.read(attempt, true) : undefined;
    if (!attempt || !current) return undefined;
    let refusal: string | undefined;
    if (current.status === 'SENT' || (evenSigned && isSigned(current))) {
      refusal = (await this.bridge.cancel(current.orderId))?.errors?.[0]?.detail;
      current = await this.read(attempt);
    }
    if (!current || [...IS_OVER, 'FAILED', 'REJECTED'].includes(current.status)) return undefined;
    if (refusal) return `Front Payment does not cancel your invoice: ${refusal}`;
    return isSigned(current) ? 'Your invoice is signed already.' : 'We are checking your invoice. Please try again in a minute.';
  }

  /** Reads what has changed, because notifications can be missed: Vendure was down, or a server before it answered 200. */
  async catchUp() {
    let cursor: string | undefined;
    let isWhole = true;
    do {
      const { orders, next, until } = await this.bridge.changed(this.listedUntil, cursor);
      for (const { orderId, referenceNo } of orders) {
        const attempt = await this.byReference(referenceNo);
        if (!attempt) {
          Logger.warn(`not in this shop: ${orderId}, reference ${referenceNo}. Lost with a backup?`, METHOD);
          continue;
        }
        // One that fails does not hold up the others. All are listed again.
        await this.follow(attempt).catch((error) => {
          isWhole = false;
          Logger.warn(`${referenceNo}: ${error.message}`, METHOD);
        });
      }
      cursor = next;
      if (until && isWhole) this.listedUntil = until;
    } while (cursor);
  }

  byReference(reference = '') {
    return this.attempts.findOneBy({ reference });
  }

  latest(orderCode: string) {
    return this.attempts.findOne({ where: { orderCode }, order: { number: 'DESC' } });
  }

  /** The attempt's order as it is now, if there is one. */
  async read(attempt: Attempt, refresh = false) {
    const orderId = attempt.orderId || (await this.bridge.find(attempt.key))?.orderId;
    const current = orderId ? await this.bridge.read(orderId, refresh) : undefined;
    if (current) await this.save(attempt, current);
    return current;
  }

  /** Whether this caller may make the payment. Several processes can come to it at once, and only one of them may. */
  async claim(ctx: RequestContext, { reference }: Attempt) {
    const unpaid = this.connection.getRepository(ctx, Attempt);
    return (await unpaid.update({ reference, isPaid: false }, { isPaid: true })).affected === 1;
  }

  /** Outside of a request's transaction, so that a rollback does not lose an attempt. */
  private get attempts() {
    return this.connection.rawConnection.getRepository(Attempt);
  }

  private async save(attempt: Attempt, { orderId, status }: BridgeOrder) {
    await this.attempts.update(attempt.reference, { orderId, status });
    Object.assign(attempt, { orderId, status });
  }

  private async openAttempt(orderCode: string): Promise<Attempt> {
    const last = await this.latest(orderCode);
    if (last && !IS_OVER.includes(last.status)) return last;
    const number = (last?.number ?? 0) + 1;
    const reference = number === 1 ? orderCode : `${orderCode}/${number}`;
    // If the customer clicks twice at once, only one click inserts an attempt, and both use its key.
    const attempt = { reference, orderCode, number, key: randomUUID() };
    await this.attempts.createQueryBuilder().insert().values(attempt).orIgnore().execute();
    return this.attempts.findOneByOrFail({ reference });
  }

  private async apply(ctx: RequestContext, attempt: Attempt, current: BridgeOrder) {
    const order = await this.orders.findOneByCode(ctx, attempt.orderCode);
    if (!order) throw new Error(`there is no order ${attempt.orderCode} yet`); // answered with 503: the bridge notifies again
    const payments = await this.orders.getOrderPayments(ctx, order.id);
    const payment = payments.find(({ metadata }) => metadata.reference === attempt.reference);
    const { status, orderUuid, grandTotal } = current;
    const total = kroner(order.totalWithTax);
    const isLatest = (await this.latest(order.code))?.reference === attempt.reference;
    if (isSigned(current) && !payment && isLatest && order.state === 'ArrangingPayment' && grandTotal === total) {
      check(await this.orders.addPaymentToOrder(ctx, order.id, { method: METHOD, metadata: {} }));
    } else if (isSigned(current) && !payment) {
      const invoice = `${attempt.reference}, ${orderUuid}, over ${grandTotal} is ${status}`;
      await this.note(
        ctx,
        order,
        `${invoice}; the order is ${order.state} over ${total}: cancel the invoice, or correct the order`,
      );
    } else if (isSigned(current) && payment?.state === 'Authorized' && status !== 'RESERVED') {
      check(await this.orders.settlePayment(ctx, payment.id));
    } else if (IS_OVER.includes(status) && payment?.state === 'Authorized') {
      check(await this.payments.transitionToState(ctx, payment.id, 'Cancelled'));
    } else if (IS_OVER.includes(status) && payment?.state === 'Settled') {
      await this.note(ctx, order, `${orderUuid} is ${status} after it was settled: stop the parcel`);
    } else if (payment && current.refundedAmount) {
      // Refunds are made in Front Payment's portal. Settles those refunds of Vendure that the amount covers.
      let left = Math.round(Number(current.refundedAmount) * 100);
      for (const { id, state, total } of await this.orders.getPaymentRefunds(ctx, payment.id)) {
        if (state === 'Pending' && total <= left) check(await this.orders.transitionRefundToState(ctx, id, 'Settled', orderUuid));
        if (state !== 'Failed') left -= total;
      }
    }
  }

  note(ctx: RequestContext, order: Order, note: string) {
    Logger.error(`${order.code}: ${note}`, METHOD);
    return this.orders.addNoteToOrder(ctx, { id: order.id, note, isPublic: false });
  }
}

function check<T>(result: T): T {
  if (isGraphQlErrorResult(result as never)) throw new Error(JSON.stringify(result));
  return result;
}
