import { All, Controller, Req, Res } from '@nestjs/common';
import { Args, Mutation, Resolver } from '@nestjs/graphql';
import { ActiveOrderService, Allow, Ctx, Logger, OrderService, Permission, RequestContext } from '@vendure/core';
import type { Request, Response } from 'express';
import { verifyQuery, verifyWebhook } from 'front-payment-bridge-client/notification';
import { gql } from 'graphql-tag';
import { Customer } from './document.js';
import { Invoice, InvoiceService, METHOD } from './service.js';

export const shopApi = gql`
  type Invoice {
    status: String
    "Send the customer there, and store it nowhere."
    bankIdUrl: String
    message: String
  }
  extend type Mutation {
    "Has the active order invoiced. It must be in the state ArrangingPayment."
    buyOnInvoice(personalNumber: String, organizationId: String): Invoice!
    "After BankID: asks Front Payment whether the active order is signed."
    checkInvoice: Invoice!
  }
`;

// No @Transaction: the attempt must stay stored even if the request fails.
@Resolver()
export class InvoiceResolver {
  constructor(
    private service: InvoiceService,
    private activeOrder: ActiveOrderService,
    private orders: OrderService,
  ) {}

  @Mutation()
  @Allow(Permission.Owner)
  async buyOnInvoice(@Ctx() ctx: RequestContext, @Args() customer: Customer): Promise<Invoice> {
    const active = await this.activeOrder.getActiveOrder(ctx, undefined);
    const order = active && (await this.orders.findOne(ctx, active.id));
    if (order?.state !== 'ArrangingPayment') return { message: 'There is no order to pay.' };
    return this.service.buy(ctx, order, customer);
  }

  @Mutation()
  @Allow(Permission.Owner)
  async checkInvoice(@Ctx() ctx: RequestContext): Promise<Invoice> {
    const order = await this.activeOrder.getActiveOrder(ctx, undefined);
    const attempt = order && (await this.service.latest(order.code));
    // Another process can make the payment at the same moment.
    return attempt ? this.service.follow(attempt, true).catch(() => ({ status: attempt.status })) : {};
  }
}

/** A notification is a sign to read the order. So an old one, or the same one twice, does no harm. */
@Controller('front-payment/notification')
export class NotificationController {
  constructor(private service: InvoiceService) {}

  @All()
  async take(@Req() request: Request & { rawBody?: Buffer }, @Res() response: Response) {
    const keys = this.service.options.notifyKeys;
    const told =
      request.method === 'GET'
        ? verifyQuery(request.originalUrl.split('?')[1] ?? '', keys)
        : verifyWebhook(request.headers, request.rawBody ?? '', keys)?.data;
    if (!told) return response.status(403).end();
    try {
      const attempt = await this.service.byReference(told.referenceNo);
      if (attempt) await this.service.follow(attempt);
      response.status(attempt ? 204 : 200).end();
    } catch (error) {
      // Vendure may not have committed the order yet, or the bridge does not answer. After a 503, the bridge notifies again.
      Logger.warn(`${told.referenceNo}: ${error}`, METHOD);
      response.status(503).end();
    }
  }
}
