// Talks to the bridge. The functions that ask for an order throw if the bridge does not tell.

const SUBMIT_MS = 35_000; // API Gateway gives up after 30 seconds.
const READ_MS = 8_000; // The bridge waits ten seconds for the answer to a notification.

export class Bridge {
  constructor({ url, apiKey, retryForMs = 20_000 }) {
    Object.assign(this, { url, apiKey, retryForMs });
  }

  /**
   * Submits an order, and repeats the request with the same key while the bridge says `retry`.
   *
   * Returns `{ order }`, or `{ problem }`, whose `nextStep` is what to do:
   *   correct  nothing was created; change what `errors` lists, and use the same key
   *   retry    not now; later the same order with the same key
   *   look     Front Payment may have the order; a person looks
   *   read     this key has another order: the one with this `orderId`
   */
  async submit(document, key) {
    const { body, problem } = await this.#repeat('POST', '/orders', { 'idempotency-key': key }, document);
    return problem ? { problem } : { order: body };
  }

  /** Asks for the cancellation of an order. It is cancelled when its status says so. */
  async cancel(orderId) {
    return (await this.#repeat('POST', `/orders/${orderId}/cancel`)).problem;
  }

  /** The order as it is now. With `refresh`, Front Payment is asked first. */
  async read(orderId, refresh = false) {
    return this.#get(`/orders/${orderId}${refresh ? '?refresh=true' : ''}`);
  }

  /** The order of a key, if there is one. A request that is still under way can bring one later. */
  async find(key) {
    return (await this.#get('/orders', { 'idempotency-key': key })).orders[0];
  }

  /** A page of the orders that have changed since then: `orders`, and `next` or, on the last page, `until`. */
  async changed(updatedSince, cursor) {
    const query = new URLSearchParams(Object.entries({ updatedSince, cursor }).filter(([, value]) => value));
    return this.#get(`/orders?${query}`);
  }

  async #get(path, headers) {
    const { body, problem } = await this.#attempt('GET', path, headers, undefined, READ_MS);
    if (problem) throw new Error(`the bridge does not tell: ${problem.detail}`);
    return body;
  }

  async #repeat(method, path, headers, body) {
    const giveUpAt = Date.now() + this.retryForMs;
    for (let waitMs = 1000; ; waitMs *= 2) {
      const reply = await this.#attempt(method, path, headers, body, SUBMIT_MS);
      waitMs = Math.max(waitMs, reply.retryAfterMs ?? 0);
      if (reply.problem?.nextStep !== 'retry' || Date.now() + waitMs > giveUpAt) return reply;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** The body of a whole 2xx, or a problem. */
  async #attempt(method, path, headers, body, timeoutMs) {
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json', ...headers },
        body: body && JSON.stringify(body),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const reply = await response.json();
      if (response.ok) return { body: reply };
      if (reply.nextStep) return { problem: reply, retryAfterMs: 1000 * Number(response.headers.get('retry-after')) };
      return { problem: { nextStep: 'retry', detail: `API Gateway answers ${response.status}` } };
    } catch (error) {
      // No connection, no reply in time, or one that broke off. The bridge may have the order: the same key finds out.
      return { problem: { nextStep: 'retry', detail: error.message } };
    }
  }
}
