import { randomUUID } from 'node:crypto';
import { Inject, Injectable, OnApplicationBootstrap } from '@nestjs/common';
import {
  Logger,
  Order,
  OrderService,
  Payment,
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
export interface Invoice {
  status?: string;
  bankIdUrl?: string;
  message?: string;
}

const MAY_LEAVE = ['RESERVED', 'INVOICED', 'PURRING', 'INKASSO', 'CHARGED', 'CAPTURED', 'PAID'];
const REFUNDS = ['REFUND_PENDING', 'PARTIAL_REFUNDED', 'REFUNDED'];
const LONGEST_OUTAGE_MS = 7 * 24 * 3600 * 1000;

export const isOver = (status?: string) => status === 'CANCELLED' || status === 'EXPIRED';
export const isSigned = ({ status, cancelRequestedAt }: BridgeOrder) => MAY_LEAVE.includes(status) && !cancelRequestedAt;

@Injectable()
export class InvoiceService implements OnApplicationBootstrap {
  readonly bridge: Bridge;
  private listedUntil = new Date(Date.now() - LONGEST_OUTAGE_MS).toISOString();

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
      const document = documentOf(ctx, order, customer, {
        referenceNo: attempt.reference,
        callbackUrl: `${this.options.shopUrl}/front-payment/notification?${new URLSearchParams({ reference: attempt.reference })}`,
        backUrl: `${this.options.backUrl}?order=${order.code}`,
        invoiceFee: this.options.invoiceFee,
      });
      const { order: accepted, problem } = await this.bridge.submit(document, attempt.key);
      if (accepted) {
        for (const { pointer, code } of accepted.warnings ?? []) Logger.warn(`${order.code}: ${code} at ${pointer}`, METHOD);
        await this.save(attempt, { orderId: accepted.orderId, status: accepted.status });
        if (isOver(accepted.status)) continue;
        return { status: accepted.status, bankIdUrl: accepted.bankIdUrl }; // the notification makes the payment
      }
      if (problem.orderId) await this.save(attempt, { orderId: problem.orderId });
      if (problem.nextStep === 'read') {
        // The key has an order with another cart or address, which the customer must not sign any more.
        const refusal = await this.callOff(order.code);
        if (refusal) return { message: refusal };
        continue;
      }
      Logger.warn(`${order.code}: ${problem.type} ${problem.detail}`, METHOD);
      if (problem.nextStep === 'look')
        return { status: 'UNKNOWN', message: 'We are checking your order. Please do not order again; we will write to you.' };
      const errors = problem.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
      return { message: errors ?? 'The invoice could not be created just now. Please try again.' };
    }
    return { message: 'The invoice could not be created just now. Please try again.' };
  }

  /** Reads the order of an attempt at the bridge, and brings Vendure's payment to the same status. */
  async follow(attempt: Attempt, refresh = false): Promise<Invoice> {
    const current = await this.read(attempt, refresh);
    if (!current) return {};
    await this.save(attempt, { orderId: current.orderId, status: current.status });
    const ctx = await this.contexts.create({ apiType: 'admin' });
    await this.connection.withTransaction(ctx, (tx) => this.apply(tx, attempt, current));
    return { status: current.status, bankIdUrl: current.bankIdUrl };
  }

  /** Cancels the order of the open attempt, if there is one: not signed yet, or `evenSigned`. Returns why not. */
  async callOff(orderCode: string, evenSigned = false): Promise<string | undefined> {
    const attempt = await this.latest(orderCode);
    if (!attempt || isOver(attempt.status)) return undefined;
    let current = await this.read(attempt, true);
    if (current?.status === 'SENT' || (evenSigned && current && isSigned(current))) {
      await this.bridge.cancel(current.orderId);
      current = await this.bridge.read(current.orderId);
    }
    if (!current) return undefined;
    await this.save(attempt, { orderId: current.orderId, status: current.status });
    if (isSigned(current)) return 'Your invoice is signed already.';
    if (current.status === 'UNKNOWN' || current.status === 'SUBMITTING')
      return 'We are checking your order. Please try again later.';
    if (current.orderUuid && !isOver(current.status)) return 'Your invoice is being cancelled. Please try again in a minute.';
    return undefined;
  }

  /** Reads what has changed, because notifications can be missed: Vendure was down, or a server before it answered 200. */
  async catchUp() {
    let cursor: string | undefined;
    do {
      const { orders, next, until } = await this.bridge.changed(this.listedUntil, cursor);
      for (const { referenceNo } of orders) {
        const attempt = await this.byReference(referenceNo);
        if (attempt) await this.follow(attempt);
      }
      cursor = next;
      if (until) this.listedUntil = until;
    } while (cursor);
  }

  byReference(reference?: string) {
    return this.attempts.findOneBy(Attempt.fromReference(reference));
  }

  latest(orderCode: string) {
    return this.attempts.findOne({ where: { orderCode }, order: { number: 'DESC' } });
  }

  async read(attempt: Attempt, refresh = false) {
    const orderId = attempt.orderId || (await this.bridge.find(attempt.key))?.orderId;
    return orderId ? this.bridge.read(orderId, refresh) : undefined;
  }

  /** Whether this caller may make the payment. A notification and a customer can come at once, and only one of them may. */
  async claim(ctx: RequestContext, attempt: Attempt) {
    return (
      (await this.connection.getRepository(ctx, Attempt).update({ id: attempt.id, isPaid: false }, { isPaid: true })).affected ===
      1
    );
  }

  /** Outside of a request's transaction, so that a rollback does not lose an attempt. */
  private get attempts() {
    return this.connection.rawConnection.getRepository(Attempt);
  }

  private async save(attempt: Attempt, change: Partial<Attempt>) {
    await this.attempts.update(attempt.id, change);
    Object.assign(attempt, change);
  }

  private async openAttempt(orderCode: string): Promise<Attempt> {
    const last = await this.latest(orderCode);
    if (last && !isOver(last.status)) return last;
    const number = (last?.number ?? 0) + 1;
    // If the customer clicks twice at once, only one click inserts an attempt, and both use its key.
    await this.attempts.createQueryBuilder().insert().values({ orderCode, number, key: randomUUID() }).orIgnore().execute();
    return this.attempts.findOneByOrFail({ orderCode, number });
  }

  private async apply(ctx: RequestContext, attempt: Attempt, current: BridgeOrder) {
    const order = await this.orders.findOneByCode(ctx, attempt.orderCode);
    if (!order) throw new Error(`there is no order ${attempt.orderCode} yet`); // answered with 503: the bridge notifies again
    const payments = await this.orders.getOrderPayments(ctx, order.id);
    const payment = payments.find(({ method, metadata }) => method === METHOD && metadata.attempt === attempt.number);
    if (isSigned(current)) {
      if (!payment) await this.pay(ctx, order, current);
      else if (payment.state === 'Authorized' && current.status !== 'RESERVED')
        check(await this.orders.settlePayment(ctx, payment.id));
    } else if (isOver(current.status) && payment) {
      if (payment.state === 'Authorized') check(await this.payments.transitionToState(ctx, payment.id, 'Cancelled'));
      else if (payment.state === 'Settled')
        await this.note(ctx, order, `${current.orderUuid} is ${current.status} after it was settled: stop the parcel`);
    } else if (REFUNDS.includes(current.status) && payment) {
      await this.refund(ctx, payment, current);
    }
  }

  private async pay(ctx: RequestContext, order: Order, current: BridgeOrder) {
    if (order.state !== 'ArrangingPayment' || current.grandTotal !== kroner(order.totalWithTax)) {
      const invoice = `${current.orderUuid} over ${current.grandTotal} is ${current.status}`;
      const own = `the order is ${order.state} over ${kroner(order.totalWithTax)}`;
      return this.note(ctx, order, `${invoice}, but ${own}: cancel the invoice, or correct the order`);
    }
    check(await this.orders.addPaymentToOrder(ctx, order.id, { method: METHOD, metadata: {} }));
  }

  /** Refunds are made in Front Payment's portal. Settles those refunds of Vendure that `refundedAmount` covers. */
  private async refund(ctx: RequestContext, payment: Payment, { refundedAmount = '0', orderUuid }: BridgeOrder) {
    let left = Math.round(Number(refundedAmount) * 100);
    const refunds = await this.orders.getPaymentRefunds(ctx, payment.id);
    for (const refund of refunds) {
      if (refund.state === 'Pending' && refund.total <= left)
        check(await this.orders.transitionRefundToState(ctx, refund.id, 'Settled', orderUuid));
      if (refund.state !== 'Failed') left -= refund.total;
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
