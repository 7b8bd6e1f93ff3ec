export function verifyQuery(query: string, keys: string[]): Record<string, string> | undefined;
export function verifyWebhook(
  headers: object,
  body: string | Buffer,
  keys: string[],
  now?: number,
): { data: { referenceNo?: string } } | undefined;
