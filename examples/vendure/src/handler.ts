import { LanguageCode, OrderProcess, PaymentMethodHandler } from '@vendure/core';
import { InvoiceService, METHOD, isSigned } from './service.js';
import { kroner } from './document.js';

let service: InvoiceService;

/** The payment of an order whose invoice is signed. Anybody may ask for it: the bridge is asked whether that is so. */
export const invoiceHandler = new PaymentMethodHandler({
  code: METHOD,
  description: [{ languageCode: LanguageCode.en, value: 'Invoice by Front Payment' }],
  args: {},
  init(injector) {
    service = injector.get(InvoiceService);
  },

  async createPayment(ctx, order, amount) {
    const attempt = await service.latest(order.code);
    const current = attempt && (await service.read(attempt));
    if (!current || !isSigned(current) || current.grandTotal !== kroner(amount) || !(await service.claim(ctx, attempt))) {
      return { amount, state: 'Declined', errorMessage: 'The invoice is not signed' };
    }
    const state = current.status === 'RESERVED' ? 'Authorized' : 'Settled';
    const metadata = { reference: attempt.reference, orderId: current.orderId };
    return { amount, state, transactionId: current.orderUuid, metadata };
  },

  /** Front Payment sends the invoice after the signature. There is nothing to capture, only to check. */
  async settlePayment(ctx, order, payment) {
    const current = await service.bridge.read(payment.metadata.orderId, true);
    if (isSigned(current) && current.status !== 'RESERVED') return { success: true };
    return { success: false, state: 'Authorized', errorMessage: `Front Payment says ${current.status}` };
  },

  async cancelPayment(ctx, order) {
    const errorMessage = await service.callOff(order.code, true);
    return errorMessage ? { success: false, state: 'Authorized', errorMessage } : { success: true };
  },

  // No createRefund: refund in Front Payment's portal. Vendure keeps its refund Pending until the bridge tells the amount.
});

/** Cancels the invoice of a changed cart or a cancelled order. Else the customer could sign for what they no longer buy. */
export const invoiceOrderProcess: OrderProcess<never> = {
  async onTransitionStart(from, to, { ctx, order }) {
    if (from === 'ArrangingPayment' && to === 'AddingItems') return service.callOff(order.code);
    const refusal = to === 'Cancelled' && (await service.callOff(order.code, true));
    if (refusal) await service.note(ctx, order, `The order is cancelled, the invoice is not: ${refusal}`);
  },
};
