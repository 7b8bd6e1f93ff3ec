// Starts the sandbox and an example shop, and looks at both from outside.
import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as send } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXAMPLES = new URL('../../examples/', import.meta.url).pathname;
const SLASHES = new URL('slashes.php', import.meta.url).pathname;
export const NOTIFY_KEY = 'whsec_ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk=';
export const API_KEYS = { 'front-payment': 'demo-shop-key', 'standard-webhooks': 'demo-webhooks-key' };

export function freePort() {
  return new Promise((resolve) => {
    const server = createTcpServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Until it is so; much longer than it takes on an idle machine. */
export async function until(holds, seconds = 30) {
  for (let tries = 0; tries < seconds * 10; tries++) {
    const held = await holds();
    if (held) return held;
    await wait(100);
  }
  return false;
}

/** A text of a page, without HTML's escapes. */
const plain = (text) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

async function ended(process) {
  const exit = new Promise((resolve) => process.once('exit', resolve));
  if (process.exitCode === null && process.signalCode === null) {
    process.kill();
    await exit;
  }
}

export class Sandbox {
  async start() {
    this.port ??= await freePort();
    this.process = spawn(process.env.LOCAL, ['--in-memory', '--port', String(this.port)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.base = await new Promise((resolve, reject) => {
      let printed = '';
      this.process.stdout.on('data', (text) => {
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec((printed += text));
        if (found) resolve(found[0]);
      });
      this.process.once('exit', () => reject(new Error(`local ended: ${printed}`)));
    });
    return this;
  }

  stop() {
    return ended(this.process);
  }

  /** Front Payment's orders of one order of the shop, also those of other carts: reference, uuid and status. */
  async orders(number) {
    const page = await (await fetch(`${this.base}/front-payment/portal`)).text();
    const texts = (html, tag) =>
      [...html.matchAll(new RegExp(`<${tag}[^>]*>(.*?)</${tag}>`, 'gs'))].map(([, cell]) =>
        plain(cell.replaceAll(/<[^>]*>/g, '')),
      );
    const columns = texts(page, 'th');
    const cell = (row, column) => row[columns.indexOf(column)];
    return [...page.matchAll(/<tr.*?<\/tr>/gs)]
      .map(([row]) => texts(row, 'td'))
      .filter((row) => row.length > 0)
      .map((row) => ({ uuid: cell(row, 'Order'), reference: cell(row, 'Reference'), status: cell(row, 'Status') }))
      .filter(({ reference }) => reference.split('/')[0] === number);
  }

  /** In the portal. */
  async setStatus(uuid, status, callback = 'once') {
    const form = new URLSearchParams({ status, callback });
    await fetch(`${this.base}/front-payment/portal/${uuid}/status`, { method: 'POST', body: form, redirect: 'manual' });
  }

  async refund(uuid, amount) {
    const form = new URLSearchParams({ amount, callback: 'once' });
    await fetch(`${this.base}/front-payment/portal/${uuid}/refund`, { method: 'POST', body: form, redirect: 'manual' });
  }

  /** Sends an event of the operator's. */
  async operator(event) {
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) };
    return (await fetch(`${this.base}/console/operator/events`, options)).json();
  }

  async forward(duration) {
    await fetch(`${this.base}/front-payment/clock`, { method: 'POST', body: JSON.stringify({ forward: duration }) });
  }
}

/**
 * Stands before a server. `breakOff` replies with 201 break off in the middle. While it has a `maintenance`, it answers everything
 * with 200, and counts.
 */
export class Wire {
  breakOff = 0;
  maintenance = undefined;

  constructor(server) {
    this.server = createServer((request, response) => {
      if (this.maintenance !== undefined) return response.end(`We are back soon. ${++this.maintenance}`);
      const options = { method: request.method, headers: request.headers };
      const up = send(server.base + request.url, options, (reply) => {
        response.writeHead(reply.statusCode, reply.headers);
        if (reply.statusCode !== 201 || this.breakOff === 0) return reply.pipe(response);
        this.breakOff--;
        reply.once('data', (part) => response.write(part.subarray(0, part.length / 2), () => response.destroy()));
      });
      up.on('error', () => response.destroy());
      request.pipe(up);
    });
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.base = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export class Shop {
  /** `env` are settings of the shop's; `slashes` makes PHP add slashes as WordPress does. */
  constructor(language, { format = 'front-payment', bridge, slashes = false, env = {} }) {
    Object.assign(this, { language, format, bridge, slashes, env, directory: mkdtempSync(join(tmpdir(), 'shop-')) });
  }

  async start() {
    this.port ??= await freePort();
    this.base = `http://127.0.0.1:${this.port}`;
    this.environment = {
      PATH: process.env.PATH,
      PORT: String(this.port),
      BRIDGE_URL: this.bridge.base,
      API_KEY: API_KEYS[this.format],
      NOTIFY_KEYS: NOTIFY_KEY,
      ORDERS_FILE: join(this.directory, 'orders.json'),
      ORDERS_DIR: this.directory,
      RETRY_FOR_MS: '8000',
      RETRY_FOR_SECONDS: '8',
      CATCH_UP_MS: '1000',
      PHP_CLI_SERVER_WORKERS: '8',
      ...this.env,
    };
    const prepended = this.slashes ? ['-d', `auto_prepend_file=${SLASHES}`] : [];
    const [program, ...options] = {
      node: ['node', join(EXAMPLES, 'node/shop.js')],
      php: ['php', ...prepended, '-S', `127.0.0.1:${this.port}`, join(EXAMPLES, 'php/index.php')],
    }[this.language];
    // A group of its own: PHP's server has workers, which end with it.
    this.process = spawn(program, options, { env: this.environment, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.process.stderr.on('data', (text) => (this.errors = (this.errors ?? '') + text));
    if (!(await until(() => this.answers()))) throw new Error(`the shop does not start: ${this.errors}`);
    return this;
  }

  answers() {
    return fetch(this.base).then(
      (reply) => reply.ok,
      () => false,
    );
  }

  async stop() {
    const { pid, exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) return;
    const exit = new Promise((resolve) => this.process.once('exit', resolve));
    process.kill(-pid, 'SIGKILL');
    await exit;
    await until(async () => !(await this.answers())); // a worker may end later
  }

  remove() {
    rmSync(this.directory, { recursive: true });
  }

  /** A new order in the shop: its number and secret. The number has the word in it. */
  async cart(word) {
    const { location } = await this.#post('cart', { word });
    const { searchParams } = new URL(location);
    return { order: searchParams.get('order'), secret: searchParams.get('secret') };
  }

  /** The customer presses "buy". Returns where the shop sends them. */
  async buy(cart, { quantity = 1, personalNumber = '30908299902' } = {}) {
    return (await this.#post('checkout', { ...cart, quantity, personalNumber })).location;
  }

  cancel(cart) {
    return this.#post('cancel', cart);
  }

  async #post(page, values) {
    const options = { method: 'POST', body: new URLSearchParams(values), redirect: 'manual' };
    const reply = await fetch(`${this.base}/${page}`, options);
    return { status: reply.status, location: reply.headers.get('location') };
  }

  /** What the customer reads on the order's page, `back` from BankID or not. */
  async page({ order, secret }, back) {
    const query = new URLSearchParams({ order, secret, ...(back ? { back } : {}) });
    return (await fetch(`${this.base}/order?${query}`)).text();
  }

  /** What cron does in PHP, and a timer of its own in Node.js. */
  async catchUp() {
    if (this.language === 'node') return;
    const options = { env: this.environment, stdio: ['ignore', 'ignore', 'pipe'] };
    const cron = spawn('php', [join(EXAMPLES, 'php/cron.php')], options);
    cron.stderr.on('data', (text) => (this.errors = (this.errors ?? '') + text));
    await new Promise((resolve) => cron.once('close', resolve));
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** The order as the shop has stored it. */
  stored({ order }) {
    const stored = JSON.parse(readFileSync(this.#file(order)));
    return this.language === 'node' ? stored.orders[order] : stored;
  }

  /** Changes it, while the shop is stopped. */
  edit({ order }, change) {
    const stored = JSON.parse(readFileSync(this.#file(order)));
    change(this.language === 'node' ? stored.orders[order] : stored);
    writeFileSync(this.#file(order), JSON.stringify(stored));
  }

  #file(order) {
    return join(this.directory, this.language === 'node' ? 'orders.json' : `${Buffer.from(order).toString('hex')}.json`);
  }

  /** All orders are gone, as after a restore from an old backup. The shop is stopped. */
  forget() {
    for (const name of readdirSync(this.directory)) rmSync(join(this.directory, name));
  }

  /** Whatever the shop has stored of its orders, as text. */
  everything() {
    return readdirSync(this.directory)
      .map((name) => readFileSync(join(this.directory, name), 'utf8'))
      .join('\n');
  }

  /** How many are released, in the end. */
  isReleased(cart) {
    return until(() => this.stored(cart).released?.quantity);
  }

  hasStatus(cart, status) {
    return until(() => this.stored(cart).status === status);
  }

  /** A notification in the format `front-payment`, signed with this key. Returns the shop's answer. */
  async tell(order, { key = NOTIFY_KEY, status = 'PAID' } = {}) {
    const values = { orderUuid: 'ODR1', status, paymentMethod: '', amount: '50.00', createdAt: '1', timestamp: '2' };
    const query = new URLSearchParams({ ...(order ? { order } : {}), ...values });
    query.set(
      'checksum',
      createHash('sha256')
        .update([...query.values()].join('') + key)
        .digest('hex'),
    );
    return (await fetch(`${this.base}/notification?${query}`)).status;
  }

  /** A notification in the format `standard-webhooks`. */
  async tellWebhook(referenceNo, { key = NOTIFY_KEY, age = 0, change = (text) => text } = {}) {
    const timestamp = String(Math.floor(Date.now() / 1000) - age);
    const text = JSON.stringify({ type: 'order.status', data: { status: 'PAID', referenceNo } });
    const secret = Buffer.from(key.replace('whsec_', ''), 'base64');
    const signature = createHmac('sha256', secret).update(`msg_1.${timestamp}.${text}`).digest('base64');
    const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': `v1,AAAA v1,${signature}` };
    return (await fetch(`${this.base}/notification`, { method: 'POST', headers, body: change(text) })).status;
  }
}

export async function decide(link, decision) {
  await fetch(`${link}/${decision}`, { method: 'POST', redirect: 'manual' });
}
