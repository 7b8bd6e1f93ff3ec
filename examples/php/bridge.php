<?php
// Talks to the bridge. Two calls: submit an order, read an order. Needs php-curl.
declare(strict_types=1);

final class Bridge
{
    private const ATTEMPT_SECONDS = 35; // API Gateway gives up after 30.

    public function __construct(
        private string $url,
        private string $apiKey,
        private int $retryForSeconds = 20, // as long as the customer waits
    ) {
    }

    /**
     * Submits an order, and repeats it with the same key as long as that is safe and useful.
     *
     * Returns what to do next, and the reply:
     *   accepted  the reply has orderId, status and, if the customer has to sign, bankIdUrl
     *   correct   the order is wrong, nothing was created; `errors` says where
     *   later     nothing was created, and the bridge cannot take it now; try again later with the same key
     *   look      somebody has to look. Front Payment may have the order, so NEVER send it with a new key
     */
    public function submit(string $document, string $key): array
    {
        $giveUpAt = microtime(true) + $this->retryForSeconds;
        for ($attempt = 0; ; $attempt++) {
            [$status, $reply, $retryAfter] = $this->call('POST', '/orders', ["Idempotency-Key: $key"], $document);
            $next = self::whatNext($status, $reply);
            if ($next !== 'again') {
                return [$next, $reply];
            }
            $wait = max($retryAfter, 2 ** $attempt);
            if (microtime(true) + $wait > $giveUpAt) {
                // Without any reply, the last attempt may have got through. The same key finds out later.
                return ['later', $reply];
            }
            sleep($wait);
        }
    }

    /** The order as it is now, or null if the bridge does not tell. */
    public function read(string $orderId): ?array
    {
        [$status, $reply] = $this->call('GET', "/orders/$orderId");
        return $status === 200 ? $reply : null;
    }

    private static function whatNext(int $status, ?array $reply): string
    {
        $problem = str_replace('urn:front-payment-bridge:', '', $reply['type'] ?? '');
        return match (true) {
            $status === 201 => 'accepted',
            in_array($problem, ['validation-failed', 'rejected-by-front-payment'], true) => 'correct',
            // Nothing was created, the first attempt is still running, or the reply got lost. The same key is safe.
            in_array($status, [0, 429, 503], true), $problem === 'submission-in-progress' => 'again',
            // An error of API Gateway's, not of the bridge's: the bridge knows the key, or never saw it.
            $problem === '' && $status >= 500 => 'again',
            // outcome-unknown, front-payment-failed, idempotency-key-reused, and whatever nobody has thought of.
            default => 'look',
        };
    }

    /** HTTP status (0: no reply), body, and the seconds of Retry-After. */
    private function call(string $method, string $path, array $headers = [], ?string $body = null): array
    {
        $retryAfter = 0;
        $curl = curl_init($this->url . $path);
        curl_setopt_array($curl, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTPHEADER => ["Authorization: Bearer $this->apiKey", 'Content-Type: application/json', ...$headers],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => self::ATTEMPT_SECONDS,
            CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$retryAfter): int {
                if (preg_match('/^retry-after:\s*(\d+)/i', $line, $found)) {
                    $retryAfter = (int) $found[1];
                }
                return strlen($line);
            },
        ]);
        if ($body !== null) {
            curl_setopt($curl, CURLOPT_POSTFIELDS, $body);
        }
        $text = curl_exec($curl);
        $status = $text === false ? 0 : curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        $reply = is_string($text) ? json_decode($text, true) : null; // API Gateway's own errors are not always JSON
        return [$status, is_array($reply) ? $reply : null, $retryAfter];
    }
}
