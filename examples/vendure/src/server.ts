// A Vendure to try the plugin with, in memory. Not for production.

import { bootstrap, DefaultLogger, LanguageCode, LogLevel, RequestContext } from '@vendure/core';
import { FrontPaymentPlugin } from './plugin.js';

const port = Number(process.env.PORT ?? 3001);

/** A test can choose the beginning of an order's code, because a word there makes the sandbox misbehave. */
const orderCodeStrategy = {
  generate: (ctx: RequestContext) =>
    `${ctx.req?.headers['x-word'] ?? ''}${Math.random().toString(36).slice(2, 10).toUpperCase()}`,
};

bootstrap({
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  apiOptions: { port, hostname: '127.0.0.1', adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
  authOptions: { tokenMethod: 'bearer', superadminCredentials: { identifier: 'superadmin', password: 'superadmin' } },
  dbConnectionOptions: { type: 'sqljs', synchronize: true },
  defaultLanguageCode: LanguageCode.nb,
  orderOptions: { orderCodeStrategy },
  paymentOptions: { paymentMethodHandlers: [] },
  plugins: [
    FrontPaymentPlugin.init({
      bridgeUrl: process.env.BRIDGE_URL ?? 'http://127.0.0.1:3000',
      apiKey: process.env.API_KEY ?? 'demo-shop-key',
      notifyKeys: (process.env.NOTIFY_KEYS ?? 'whsec_ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk=').split(','),
      shopUrl: process.env.SHOP_URL ?? `http://127.0.0.1:${port}`,
      backUrl: process.env.BACK_URL ?? 'http://127.0.0.1:8080/thank-you',
      invoiceFee: false,
      retryForMs: Number(process.env.RETRY_FOR_MS ?? 20_000),
      catchUpEveryMs: Number(process.env.CATCH_UP_MS ?? 60_000),
    }),
  ],
}).then(
  () => console.log(`Vendure listens on http://127.0.0.1:${port}`),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
