// Verifies what the bridge tells the shop. Use one of the two functions, for the format that you agreed on.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_S = 5 * 60;

/** Format `front-payment`, a GET. `query` is what stands behind the question mark. Returns the values, or undefined. */
export function verifyQuery(query, keys) {
  // Like PHP's $_GET: a name that comes twice has its last value, at its first place.
  const values = new Map(new URLSearchParams(query));
  const checksum = values.get('checksum');
  values.delete('checksum');
  const text = [...values.values()].join('');
  const checksumOf = (key) => createHash('sha256').update(`${text}${key}`).digest('hex');
  const isRight = keys.some((key) => isEqual(checksumOf(key), checksum));
  return isRight ? Object.fromEntries(values) : undefined;
}

/** Format `standard-webhooks`, a POST. `body` is what came, before any JSON parser. Returns the event, or undefined. */
export function verifyWebhook(headers, body, keys, now = Date.now() / 1000) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !signatures || !(Math.abs(now - Number(timestamp)) <= TOLERANCE_S)) return undefined;
  const isRight = keys.some((key) => {
    const secret = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
    const expected = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
    return signatures.split(' ').some((signature) => isEqual(`v1,${expected}`, signature));
  });
  return isRight ? JSON.parse(body) : undefined;
}

/** Takes the same time whether much or little of it is right, so that nobody can guess the value piece by piece. */
export function isEqual(expected, given) {
  const [a, b] = [Buffer.from(expected), Buffer.from(String(given ?? ''))];
  return a.length === b.length && timingSafeEqual(a, b);
}
