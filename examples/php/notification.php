<?php
// Verifies what the bridge tells the shop. Use one of the two functions, for the format that you agreed on.
declare(strict_types=1);

namespace FrontPaymentBridge;

final class Notification
{
    private const TOLERANCE_SECONDS = 5 * 60;

    /**
     * Format `front-payment`, a GET. `$query` is what stands behind the question mark of the address, and not `$_GET`, because
     * WordPress adds slashes to that, and frameworks add names. Returns the values, or null.
     */
    public static function verifiedQuery(string $query, array $keys): ?array
    {
        parse_str($query, $values);
        $checksum = $values['checksum'] ?? null;
        unset($values['checksum']);
        if (!is_string($checksum) || array_filter($values, 'is_array') !== []) {
            return null;
        }
        $text = implode('', $values);
        return self::any($keys, fn (string $key): bool => hash_equals(hash('sha256', $text . $key), $checksum)) ? $values : null;
    }

    /** Format `standard-webhooks`, a POST. `$body` is what came, before any JSON parser. Returns the event, or null. */
    public static function verifiedWebhook(array $headers, string $body, array $keys, int $now): ?array
    {
        $id = $headers['webhook-id'] ?? '';
        $timestamp = $headers['webhook-timestamp'] ?? '';
        $signatures = $headers['webhook-signature'] ?? '';
        if ($id === '' || !ctype_digit($timestamp) || abs($now - (int) $timestamp) > self::TOLERANCE_SECONDS) {
            return null;
        }
        $isRight = self::any($keys, function (string $key) use ($id, $timestamp, $signatures, $body): bool {
            $secret = base64_decode(preg_replace('/^whsec_/', '', $key));
            $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $secret, true));
            return self::any(explode(' ', $signatures), fn (string $given): bool => hash_equals($expected, $given));
        });
        return $isRight ? json_decode($body, true) : null;
    }

    /** Whether `$holds` is true for at least one value. From PHP 8.4 on, use array_any. */
    private static function any(array $values, callable $holds): bool
    {
        foreach ($values as $value) {
            if ($holds($value)) {
                return true;
            }
        }
        return false;
    }
}
