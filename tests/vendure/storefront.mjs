// Starts Vendure, fills it, and is its customers and its administrator.
import { spawn } from 'node:child_process';
import { Wire, freePort, until } from '../clients/shop.mjs';

export class Vendure {
  log = '';

  constructor(bridge, apiKey) {
    Object.assign(this, { bridge, apiKey });
  }

  async start() {
    this.port = await freePort();
    this.base = `http://127.0.0.1:${this.port}`;
    this.front = await new Wire(this).start();
    const env = {
      ...process.env,
      PORT: String(this.port),
      SHOP_URL: this.front.base,
      BRIDGE_URL: this.bridge.base,
      API_KEY: this.apiKey,
      RETRY_FOR_MS: '4000',
      CATCH_UP_MS: '1000',
    };
    this.process = spawn('node', ['dist/server.js'], { cwd: process.env.VENDURE, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => (this.log += text));
    if (!(await until(() => this.log.includes('Vendure listens'), 120))) throw new Error(this.log);
    this.variants = await this.#seed();
    return this;
  }

  async stop() {
    const exit = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await exit;
    this.front.stop();
  }

  /** The data of a query, and the session that it was made in. */
  async call(api, query, variables, headers = {}) {
    const reply = await fetch(`${this.base}/${api}?languageCode=nb`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await reply.json();
    if (errors) throw new Error(`${JSON.stringify(errors.map(({ message }) => message))} ${query}`);
    const [first] = Object.values(data);
    return { data: first, session: reply.headers.get('vendure-auth-token') };
  }

  async admin(query, variables) {
    this.session ??= (
      await this.call('admin-api', 'mutation { login(username: "superadmin", password: "superadmin") { __typename } }')
    ).session;
    return (await this.call('admin-api', query, variables, { authorization: `Bearer ${this.session}` })).data;
  }

  /** An order as the administrator sees it. */
  async order(code) {
    const query = `query ($code: String!) { orders(options: {filter: {code: {eq: $code}}}) { items { id state totalWithTax
      payments { id state amount transactionId metadata refunds { state total } } history { items { type data } } } } }`;
    const order = (await this.admin(query, { code })).items[0];
    return { ...order, notes: order.history.items.filter(({ type }) => type === 'ORDER_NOTE').map(({ data }) => data.note) };
  }

  hasState(code, state, seconds) {
    return until(async () => (await this.order(code)).state === state, seconds);
  }

  /** Norway, 25 and 15 % VAT, two goods, freight, a coupon, the payment method. */
  async #seed() {
    const named = (name) => [{ languageCode: 'nb', name, description: '' }];
    const create = (type, input, fields = 'id', kind = type) =>
      this.admin(`mutation ($input: Create${kind}Input!) { create${type}(input: $input) { ${fields} } }`, { input });
    const country = await create('Country', { code: 'NO', enabled: true, translations: [{ languageCode: 'nb', name: 'Norge' }] });
    const zone = await create('Zone', { name: 'Norge', memberIds: [country.id] });
    const [channel] = (await this.admin('{ channels { items { id } } }')).items;
    const settings = {
      defaultTaxZoneId: zone.id,
      defaultShippingZoneId: zone.id,
      pricesIncludeTax: true,
      defaultCurrencyCode: 'NOK',
      availableCurrencyCodes: ['NOK'],
    };
    await this.admin('mutation ($input: UpdateChannelInput!) { updateChannel(input: $input) { __typename } }', {
      input: { id: channel.id, ...settings },
    });
    const variants = [];
    for (const [name, sku, price, value] of [
      ['Ullgenser', 'GENSER-1', 129900, 25],
      ['Kaffe 250 g', 'KAFFE-250', 7990, 15],
    ]) {
      const category = await create('TaxCategory', { name: `${value} %`, isDefault: value === 25 });
      await create('TaxRate', { name: `${value} %`, value, enabled: true, categoryId: category.id, zoneId: zone.id });
      const product = await create('Product', {
        enabled: true,
        translations: [{ languageCode: 'nb', name, slug: sku, description: '' }],
      });
      const variant = {
        productId: product.id,
        sku,
        price,
        taxCategoryId: category.id,
        trackInventory: 'FALSE',
        translations: [{ languageCode: 'nb', name }],
      };
      const mutation = 'mutation ($input: [CreateProductVariantInput!]!) { createProductVariants(input: $input) { id } }';
      variants.push((await this.admin(mutation, { input: [variant] }))[0].id);
    }
    const rate = [
      { name: 'rate', value: '6900' },
      { name: 'includesTax', value: 'include' },
      { name: 'taxRate', value: '25' },
    ];
    await create('ShippingMethod', {
      code: 'posten',
      fulfillmentHandler: 'manual-fulfillment',
      translations: named('Posten'),
      checker: { code: 'default-shipping-eligibility-checker', arguments: [{ name: 'orderMinimum', value: '0' }] },
      calculator: { code: 'default-shipping-calculator', arguments: rate },
    });
    const action = { code: 'order_percentage_discount', arguments: [{ name: 'discount', value: '10' }] };
    await create(
      'Promotion',
      { enabled: true, couponCode: 'TI', conditions: [], actions: [action], translations: named('TI') },
      '__typename',
    );
    const handler = { code: 'front-payment-invoice', arguments: [] };
    await create('PaymentMethod', { code: 'front-payment-invoice', enabled: true, handler, translations: named('Faktura') });
    return variants;
  }
}

/** A customer with a session of their own. Their order's code begins with the word. */
export class Customer {
  constructor(vendure, word = '') {
    Object.assign(this, { vendure, headers: word ? { 'x-word': `${word}-` } : {} });
  }

  async ask(query, variables) {
    const { data, session } = await this.vendure.call('shop-api', query, variables, this.headers);
    if (session) this.headers.authorization = `Bearer ${session}`;
    if (/Error$/.test(data.__typename)) throw new Error(JSON.stringify(data));
    return data;
  }

  #set(mutation, input) {
    return this.ask(
      `mutation ($input: ${input.type}!) { ${mutation}(${input.name}: $input) { __typename ... on ErrorResult { message } } }`,
      { input: input.value },
    );
  }

  /** Puts a sweater and three bags of coffee into the cart, and goes to the checkout. */
  async fill({ coupon, company } = {}) {
    for (const [index, quantity] of [
      [0, 1],
      [1, 3],
    ])
      await this.add(index, quantity);
    if (coupon) await this.#set('applyCouponCode', { name: 'couponCode', type: 'String', value: coupon });
    const customer = { firstName: 'Kari', lastName: 'Nordmann', emailAddress: `kari${Math.random()}@example.com` };
    await this.#set('setCustomerForOrder', { name: 'input', type: 'CreateCustomerInput', value: customer });
    const address = {
      fullName: 'Kari Nordmann',
      company,
      streetLine1: 'Klosterenget 144',
      city: 'Trondheim',
      postalCode: '7030',
      countryCode: 'NO',
      phoneNumber: '+47 465 67 468',
    };
    await this.#set('setOrderShippingAddress', { name: 'input', type: 'CreateAddressInput', value: address });
    const [method] = await this.ask('{ eligibleShippingMethods { id } }');
    await this.#set('setOrderShippingMethod', { name: 'shippingMethodId', type: '[ID!]', value: [method.id] });
    await this.go('ArrangingPayment');
    return this.code;
  }

  async add(index, quantity) {
    const query =
      'mutation ($v: ID!, $n: Int!) { addItemToOrder(productVariantId: $v, quantity: $n) { __typename ... on Order { code } ... on ErrorResult { message } } }';
    this.code = (await this.ask(query, { v: this.vendure.variants[index], n: quantity })).code;
  }

  go(state) {
    const query =
      'mutation ($s: String!) { transitionOrderToState(state: $s) { __typename ... on OrderStateTransitionError { transitionError } } }';
    return this.ask(query, { s: state });
  }

  /** Presses "buy on invoice". */
  buy(customer = { personalNumber: '30908299902' }) {
    return this.ask(
      'mutation ($p: String, $o: String) { buyOnInvoice(personalNumber: $p, organizationId: $o) { status bankIdUrl message } }',
      { p: customer.personalNumber, o: customer.organizationId },
    );
  }

  check() {
    return this.ask('mutation { checkInvoice { status bankIdUrl message } }');
  }
}
