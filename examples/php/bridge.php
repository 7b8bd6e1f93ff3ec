<?php
// Talks to the bridge. Needs php-curl. The functions that ask for an order throw if the bridge does not tell.
declare(strict_types=1);

namespace FrontPaymentBridge;

final class Bridge
{
    private const SUBMIT_SECONDS = 35; // API Gateway gives up after 30.
    private const READ_SECONDS = 8;    // The bridge waits ten seconds for the answer to a notification.

    public function __construct(
        private string $url,
        private string $apiKey,
        private int $retryForSeconds = 20, // as long as the customer waits
    ) {
    }

    /**
     * Submits an order, and repeats the request with the same key while the bridge says `retry`.
     *
     * Returns the order and null, or null and a problem, whose `nextStep` is what to do:
     *   correct  nothing was created; change what `errors` lists, and use the same key
     *   retry    not now; later the same order with the same key
     *   look     Front Payment may have the order; a person looks
     *   read     this key has another order: the one with this `orderId`
     */
    public function submit(array $document, string $key): array
    {
        return $this->repeat('POST', '/orders', ["Idempotency-Key: $key"], json_encode($document, JSON_THROW_ON_ERROR));
    }

    /** Asks for the cancellation of an order. It is cancelled when its status says so. */
    public function cancel(string $orderId): ?array
    {
        return $this->repeat('POST', "/orders/$orderId/cancel", [], '')[1];
    }

    /** The order as it is now. With `$refresh`, Front Payment is asked first. */
    public function read(string $orderId, bool $refresh = false): array
    {
        return $this->get("/orders/$orderId" . ($refresh ? '?refresh=true' : ''));
    }

    /** The order of a key, if there is one. A request that is still under way can bring one later. */
    public function find(string $key): ?array
    {
        return $this->get('/orders', ["Idempotency-Key: $key"])['orders'][0] ?? null;
    }

    /** A page of the orders that have changed since then: `orders`, and `next` or, on the last page, `until`. */
    public function changed(?string $updatedSince, ?string $cursor): array
    {
        return $this->get('/orders?' . http_build_query(['updatedSince' => $updatedSince, 'cursor' => $cursor]));
    }

    private function get(string $path, array $headers = []): array
    {
        [$body, $problem] = $this->attempt('GET', $path, $headers, null, self::READ_SECONDS);
        return $body ?? throw new \RuntimeException("the bridge does not tell: {$problem['detail']}");
    }

    private function repeat(string $method, string $path, array $headers, string $body): array
    {
        $giveUpAt = microtime(true) + $this->retryForSeconds;
        for ($wait = 1; ; $wait *= 2) {
            [$reply, $problem, $retryAfter] = $this->attempt($method, $path, $headers, $body, self::SUBMIT_SECONDS);
            $wait = max($wait, $retryAfter);
            if (($problem['nextStep'] ?? '') !== 'retry' || microtime(true) + $wait > $giveUpAt) {
                return [$reply, $problem];
            }
            sleep($wait);
        }
    }

    /** The body of a whole 2xx, or a problem; and the seconds of Retry-After. */
    private function attempt(string $method, string $path, array $headers, ?string $body, int $timeout): array
    {
        $retryAfter = 0;
        $curl = curl_init($this->url . $path);
        curl_setopt_array($curl, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTPHEADER => ["Authorization: Bearer $this->apiKey", 'Content-Type: application/json', ...$headers],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => $timeout,
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
        $reply = is_string($text) ? json_decode($text, true) : null;
        $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        return match (true) {
            is_array($reply) && $status >= 200 && $status < 300 => [$reply, null, 0],
            isset($reply['nextStep']) => [null, $reply, $retryAfter],
            // No connection, no reply in time, one that broke off, or one of API Gateway's. The bridge may have the order: the
            // same key finds out.
            default => [null, ['nextStep' => 'retry', 'detail' => curl_error($curl) ?: "API Gateway answers $status"], 0],
        };
    }
}
