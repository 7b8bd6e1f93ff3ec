// Vendure's order as the document that the bridge takes.

import { Order, RequestContext } from '@vendure/core';

/** What Vendure does not have. The personal number is passed on and stored nowhere. */
export interface Customer {
  personalNumber?: string;
  organizationId?: string;
}

export interface Links {
  referenceNo: string;
  callbackUrl: string;
  backUrl: string;
  invoiceFee: boolean;
}

// Vendure keeps a phone number as one text, but Front Payment wants the country code apart. In these countries, a number
// without a country code gets this one.
const DIALLING_CODES: Record<string, string> = { NO: '47', SE: '46', DK: '45', FI: '358', DE: '49' };
const LANGUAGES: Record<string, string> = { nb: 'no', nn: 'no', no: 'no', sv: 'sv', da: 'da', de: 'de', en: 'en' };

/** An amount in kroner. Vendure keeps amounts in øre. */
export const kroner = (ore: number) => `${Math.trunc(ore / 100)}.${String(ore % 100).padStart(2, '0')}`;

export function phone(text: string, country: string) {
  const digits = text.replace(/[^\d+]/g, '').replace(/^00/, '+');
  const own = DIALLING_CODES[country] ?? '47';
  const code = [own, ...Object.values(DIALLING_CODES)].find((known) => digits.startsWith(`+${known}`));
  return { countryCode: `+${code ?? own}`, msisdn: code ? digits.slice(code.length + 1) : digits.replace(/^(\+|0)/, '') };
}

export function documentOf(ctx: RequestContext, order: Order, customer: Customer, links: Links) {
  // Prices with VAT: in a shop whose prices include it, these are the exact ones. `full` is before the coupons.
  const line = (name: string, sku: string, quantity: number, tax: number, rate: number, full: number, amount: number) => ({
    name,
    productId: sku.length <= 25 ? sku : undefined, // Front Payment takes no longer one
    quantity: String(quantity),
    tax: String(tax),
    rate: kroner(rate),
    discount: kroner(full - amount),
    amount: kroner(amount),
  });
  const lines = order.lines.filter(({ quantity }) => quantity > 0);
  const products = [
    ...lines.map((l) =>
      line(
        l.productVariant.name,
        l.productVariant.sku,
        l.quantity,
        l.taxRate,
        l.unitPriceWithTax,
        l.linePriceWithTax,
        l.proratedLinePriceWithTax,
      ),
    ),
    ...order.shippingLines.map((s) =>
      line(
        s.shippingMethod?.name ?? 'Freight',
        s.shippingMethod?.code ?? '',
        1,
        s.taxRate,
        s.priceWithTax,
        s.priceWithTax,
        s.discountedPriceWithTax,
      ),
    ),
    ...order.surcharges.map((s) => line(s.description, s.sku, 1, s.taxRate, s.priceWithTax, s.priceWithTax, s.priceWithTax)),
  ];
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const beforeCoupons = sum([
    ...lines.map((l) => l.linePrice),
    ...order.shippingLines.map((s) => s.price),
    ...order.surcharges.map((s) => s.price),
  ]);
  const address = order.billingAddress?.streetLine1 ? order.billingAddress : order.shippingAddress;
  const country = address.countryCode ?? 'NO';
  const { organizationId, personalNumber } = customer;
  return {
    products,
    orderSummary: {
      subTotal: kroner(beforeCoupons),
      totalDiscount: kroner(beforeCoupons - order.total),
      totalTax: kroner(order.totalWithTax - order.total),
      grandTotal: kroner(order.totalWithTax),
    },
    orderDate: String(Math.floor(Date.now() / 1000)),
    customerDetails: {
      ...(organizationId ? { type: 'corporate', organizationId } : { type: 'private', personalNumber }),
      ...phone(address.phoneNumber || order.customer?.phoneNumber || '', country),
      email: order.customer?.emailAddress,
      name: (organizationId && address.company) || address.fullName,
      preferredLanguage: LANGUAGES[ctx.languageCode],
      address: {
        street: [address.streetLine1, address.streetLine2].filter(Boolean).join(', '),
        zip: address.postalCode,
        city: address.city,
        country,
      },
    },
    referenceNo: links.referenceNo,
    invoiceFeeApplicable: links.invoiceFee,
    callback: { callbackUrl: links.callbackUrl, success: links.backUrl, failure: links.backUrl },
  };
}
