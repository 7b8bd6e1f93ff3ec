// Starts the sandbox and an example shop, and looks at both from outside.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXAMPLES = new URL('../../examples/', import.meta.url).pathname;
export const NOTIFY_KEY = 'whsec_ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk=';
export const API_KEYS = { 'front-payment': 'demo-shop-key', 'standard-webhooks': 'demo-webhooks-key' };

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Until it is so, for ten seconds at most. */
export async function until(holds) {
  for (let tries = 0; tries < 100; tries++) {
    if (await holds()) return true;
    await wait(100);
  }
  return false;
}

export class Sandbox {
  async start() {
    this.process = spawn(process.env.LOCAL, ['--in-memory', '--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
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
    this.process.kill();
  }

  /** Front Payment's orders with this reference: uuid and status. */
  async orders(reference) {
    const page = await (await fetch(`${this.base}/front-payment/portal`)).text();
    const row = /portal\/(ODR\d+)">[^<]*<\/a><\/td><td>([^<]*)<\/td><td>[^<]*<\/td><td>([^<]*)<\/td>/g;
    return [...page.matchAll(row)].filter((found) => found[2] === reference).map(([, uuid, , status]) => ({ uuid, status }));
  }

  /** In the portal. */
  async setStatus(uuid, status) {
    const form = new URLSearchParams({ status, callback: 'once' });
    await fetch(`${this.base}/front-payment/portal/${uuid}/status`, { method: 'POST', body: form, redirect: 'manual' });
  }

  async forward(duration) {
    await fetch(`${this.base}/front-payment/clock`, { method: 'POST', body: JSON.stringify({ forward: duration }) });
  }
}

export class Shop {
  constructor(language, format, sandbox) {
    Object.assign(this, { language, format, sandbox, directory: mkdtempSync(join(tmpdir(), 'shop-')) });
  }

  async start() {
    this.port ??= await freePort();
    this.base = `http://127.0.0.1:${this.port}`;
    const env = {
      PATH: process.env.PATH, PORT: String(this.port), BRIDGE_URL: this.sandbox.base, API_KEY: API_KEYS[this.format],
      NOTIFY_KEYS: NOTIFY_KEY, ORDERS_FILE: join(this.directory, 'orders.json'), ORDERS_DIR: this.directory,
      RETRY_FOR_MS: '8000', RETRY_FOR_SECONDS: '8', PHP_CLI_SERVER_WORKERS: '8',
    };
    const [program, ...options] = {
      node: ['node', join(EXAMPLES, 'node/shop.js')],
      php: ['php', '-S', `127.0.0.1:${this.port}`, join(EXAMPLES, 'php/index.php')],
    }[this.language];
    // A group of its own: PHP's server has workers, which end with it.
    this.process = spawn(program, options, { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.process.stderr.on('data', (text) => (this.errors = (this.errors ?? '') + text));
    const answers = () => fetch(`${this.base}/nothing`).then(() => true, () => false);
    if (!(await until(answers))) throw new Error(`the shop does not start: ${this.errors}`);
    return this;
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    process.kill(-this.process.pid, 'SIGKILL');
    await ended;
  }

  remove() {
    rmSync(this.directory, { recursive: true });
  }

  /** The customer presses "buy". Returns where the shop sends them. */
  async buy(number) {
    const form = new URLSearchParams({ order: number });
    const reply = await fetch(`${this.base}/checkout`, { method: 'POST', body: form, redirect: 'manual' });
    return reply.headers.get('location');
  }

  async thankYou(number) {
    return (await fetch(`${this.base}/thank-you?order=${encodeURIComponent(number)}`)).text();
  }

  /** The order as the shop has stored it. */
  stored(number) {
    if (this.language === 'node') return JSON.parse(readFileSync(join(this.directory, 'orders.json')))[number];
    return JSON.parse(readFileSync(join(this.directory, `${Buffer.from(number).toString('hex')}.json`)));
  }

  /** Whether the goods are released, within ten seconds. */
  isReleased(number) {
    return until(() => this.stored(number).released);
  }
}

export async function decide(link, decision) {
  await fetch(`${link}/${decision}`, { method: 'POST', redirect: 'manual' });
}
