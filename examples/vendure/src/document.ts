// Vendure's order as the document that the bridge takes.

import { Order, RequestContext } from '@vendure/core';
import type { Options } from './service.js';

/** What Vendure does not have. The personal number is passed on and stored nowhere. */
export interface Customer {
  personalNumber?: string;
  organizationId?: string;
}

// Vendure keeps a phone number as one text, but Front Payment wants the country code apart. In these countries, a number
// without a country code gets this one.
const DIALLING_CODES: Record<string, string> = { NO: '47', SE: '46', DK: '45', FI: '358', DE: '49' };

/** An amount in kroner. Vendure keeps amounts in øre. */
export const kroner = (ore: number) => `${Math.trunc(ore / 100)}.${String(ore % 100).padStart(2, '0')}`;

function phone(text: string, country: string) {
  const digits = text.replace(/[^\d+]/g, '').replace(/^00/, '+');
  const code = Object.values(DIALLING_CODES).find((known) => digits.startsWith(`+${known}`));
  if (code) return { countryCode: `+${code}`, msisdn: digits.slice(code.length + 1) };
  return { countryCode: `+${DIALLING_CODES[country] ?? '47'}`, msisdn: digits.replace(/^(\+|0)/, '') };
}

/** Prices with VAT: in a shop whose prices include it, these are the exact ones. `full` is before the coupons. */
function line(name: string, sku: string, quantity: number, tax: number, rate: number, full: number, amount: number) {
  return {
    name,
    productId: sku.length <= 25 ? sku : undefined, // Front Payment takes no longer one
    quantity: String(quantity),
    tax: String(tax),
    rate: kroner(rate),
    discount: kroner(full - amount),
    amount: kroner(amount),
  };
}

export function documentOf(ctx: RequestContext, order: Order, customer: Customer, referenceNo: string, options: Options) {
  const { shippingLines, surcharges } = order;
  const lines = order.lines.filter(({ quantity }) => quantity > 0);
  const net = [...lines.map((l) => l.linePrice), ...[...shippingLines, ...surcharges].map(({ price }) => price)];
  const subTotal = net.reduce((total, price) => total + price, 0);
  const address = order.billingAddress?.streetLine1 ? order.billingAddress : order.shippingAddress;
  const country = address.countryCode ?? 'NO';
  const { organizationId, personalNumber } = customer;
  const backUrl = `${options.backUrl}?order=${order.code}`;
  return {
    products: [
      ...lines.map((l) => {
        const { name, sku } = l.productVariant;
        return line(name, sku, l.quantity, l.taxRate, l.unitPriceWithTax, l.linePriceWithTax, l.proratedLinePriceWithTax);
      }),
      ...shippingLines.map((s) => {
        const { name, code } = s.shippingMethod ?? { name: 'Freight', code: '' };
        return line(name, code, 1, s.taxRate, s.priceWithTax, s.priceWithTax, s.discountedPriceWithTax);
      }),
      ...surcharges.map((s) => line(s.description, s.sku, 1, s.taxRate, s.priceWithTax, s.priceWithTax, s.priceWithTax)),
    ],
    orderSummary: {
      subTotal: kroner(subTotal),
      totalDiscount: kroner(subTotal - order.total),
      totalTax: kroner(order.totalWithTax - order.total),
      grandTotal: kroner(order.totalWithTax),
    },
    orderDate: String(Math.floor(Date.now() / 1000)),
    customerDetails: {
      ...(organizationId ? { type: 'corporate', organizationId } : { type: 'private', personalNumber }),
      ...phone(address.phoneNumber || order.customer?.phoneNumber || '', country),
      email: order.customer?.emailAddress,
      name: (organizationId && address.company) || address.fullName,
      preferredLanguage: ['en', 'sv', 'da', 'de'].find((code) => code === ctx.languageCode), // else Norwegian
      address: {
        street: [address.streetLine1, address.streetLine2].filter(Boolean).join(', '),
        zip: address.postalCode,
        city: address.city,
        country,
      },
    },
    referenceNo,
    invoiceFeeApplicable: options.invoiceFee,
    callback: {
      callbackUrl: `${options.shopUrl}/front-payment/notification?${new URLSearchParams({ referenceNo })}`,
      success: backUrl,
      failure: backUrl,
    },
  };
}
