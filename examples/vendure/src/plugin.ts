import { PluginCommonModule, VendurePlugin } from '@vendure/core';
import express from 'express';
import { InvoiceResolver, NotificationController, shopApi } from './api.js';
import { Attempt } from './attempt.entity.js';
import { invoiceHandler, invoiceOrderProcess } from './handler.js';
import { InvoiceService, OPTIONS, Options } from './service.js';

@VendurePlugin({
  imports: [PluginCommonModule],
  compatibility: '^3.0.0',
  entities: [Attempt],
  controllers: [NotificationController],
  providers: [InvoiceService, { provide: OPTIONS, useFactory: () => FrontPaymentPlugin.options }],
  shopApiExtensions: { schema: shopApi, resolvers: [InvoiceResolver] },
  configuration: (config) => {
    config.paymentOptions.paymentMethodHandlers.push(invoiceHandler);
    config.orderOptions.process.push(invoiceOrderProcess);
    // The signature of a webhook covers the body as it came.
    const handler = express.json({ verify: (request, _, body) => Object.assign(request, { rawBody: body }) });
    config.apiOptions.middleware.push({ route: '/front-payment/notification', beforeListen: true, handler });
    return config;
  },
})
export class FrontPaymentPlugin {
  static options: Options;
  static init(options: Options) {
    this.options = options;
    return FrontPaymentPlugin;
  }
}
