// Talks to the bridge. Two calls: submit an order, read an order.

const ATTEMPT_MS = 35_000; // API Gateway gives up after 30 seconds.

export class Bridge {
  constructor({ url, apiKey, retryForMs = 20_000 }) {
    Object.assign(this, { url, apiKey, retryForMs });
  }

  /**
   * Submits an order, and repeats it with the same key as long as that is safe and useful.
   *
   * Returns what to do next:
   *   accepted  `order` has orderId, status and, if the customer has to sign, bankIdUrl
   *   correct   the order is wrong, nothing was created; `problem.errors` says where
   *   later     nothing was created, and the bridge cannot take it now; try again later with the same key
   *   look      somebody has to look at `problem`. Front Payment may have the order, so NEVER send it with a new key
   */
  async submit(order, key) {
    const giveUpAt = Date.now() + this.retryForMs;
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#call('POST', '/orders', order, { 'idempotency-key': key });
      const next = whatNext(reply);
      const waitMs = Math.max(reply.retryAfterMs ?? 0, 500 * 2 ** attempt);
      if (next !== 'again' && next !== 'lost') {
        return { next, order: reply.body, problem: reply.body };
      }
      if (Date.now() + waitMs > giveUpAt) {
        // Without any reply, the last attempt may have got through. The same key finds out later.
        return { next: 'later', problem: reply.body };
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** The order as it is now, or undefined if the bridge does not tell. */
  async read(orderId) {
    const reply = await this.#call('GET', `/orders/${orderId}`);
    return reply.status === 200 ? reply.body : undefined;
  }

  async #call(method, path, body, headers = {}) {
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json', ...headers },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(ATTEMPT_MS),
      });
      const seconds = Number(response.headers.get('retry-after'));
      return { status: response.status, body: await json(response), retryAfterMs: seconds > 0 ? seconds * 1000 : undefined };
    } catch {
      return { status: 0 }; // no connection, or the reply got lost
    }
  }
}

async function json(response) {
  try {
    return await response.json();
  } catch {
    return undefined; // API Gateway's own errors are not always JSON
  }
}

function whatNext({ status, body }) {
  const problem = body?.type?.replace('urn:front-payment-bridge:', '');
  if (status === 201) return 'accepted';
  if (status === 0) return 'lost';
  if (problem === 'validation-failed' || problem === 'rejected-by-front-payment') return 'correct';
  // Nothing was created, or the first attempt is still running. The same key is safe.
  if (status === 429 || status === 503 || problem === 'submission-in-progress') return 'again';
  // An error of API Gateway's, not of the bridge's. The same key is safe: the bridge knows it, or never saw it.
  if (!problem && status >= 500) return 'again';
  // outcome-unknown, front-payment-failed, idempotency-key-reused, and whatever nobody has thought of.
  return 'look';
}
