<?php
// What the shop does with an order: submit it, follow its status, release the goods.
declare(strict_types=1);

final class Checkout
{
    // The goods may leave. Not at SENT (not signed yet), EXPIRED, CANCELLED, or while money goes back.
    private const MAY_LEAVE = ['RESERVED', 'INVOICED', 'PURRING', 'INKASSO', 'CHARGED', 'CAPTURED', 'PAID'];
    private const IS_OVER = ['EXPIRED', 'CANCELLED', 'REFUND_PENDING', 'PARTIAL_REFUNDED', 'REFUNDED'];
    private const NOT_ACCEPTED = ['SUBMITTING', 'UNKNOWN', 'FAILED', 'REJECTED'];

    public function __construct(private Bridge $bridge, private Orders $orders)
    {
    }

    /**
     * Brings an order on: sends one that was not sent yet, asks for the status of any other. It may be called at any time and
     * any number of times: by the button, the thank-you page, a notification, cron.
     */
    public function advance(string $number): array
    {
        $order = $this->orders->find($number);
        if (in_array($order['state'], ['new', 'later', 'correct'], true)) {
            return $this->submit($order);
        }
        // `accepted`, or `look`: Front Payment may have it. It is read, and never sent again by a program.
        $current = isset($order['orderId']) ? $this->bridge->read($order['orderId']) : null;
        return $current === null ? $order : $this->follow($number, $current);
    }

    private function submit(array $order): array
    {
        [$next, $reply] = $this->bridge->submit($order['document'], $order['key']);
        if ($next === 'accepted') {
            return $this->follow($order['number'], $reply);
        }
        // With the bridge's id, the order can be read later, whatever became of it.
        $found = isset($reply['orderId']) ? ['orderId' => $reply['orderId']] : [];
        return $this->orders->change($order['number'], fn (array $stored): array =>
            // Another request may have had it accepted meanwhile.
            $stored['state'] === 'accepted' ? $stored : [...$stored, ...$found, 'state' => $next, 'problem' => $reply]);
    }

    /** Does what a status says. Goods are released once, also if the same status is heard again. */
    private function follow(string $number, array $current): array
    {
        return $this->orders->change($number, function (array $stored) use ($current): array {
            $status = $current['status'];
            $isOlder = ($current['updatedAt'] ?? '') < ($stored['updatedAt'] ?? '');
            if ($isOlder || in_array($status, self::NOT_ACCEPTED, true)) {
                return $stored;
            }
            $next = ['state' => 'accepted', 'problem' => null, 'orderId' => $current['orderId'], 'status' => $status,
                'bankIdUrl' => $current['bankIdUrl'] ?? null, 'updatedAt' => $current['updatedAt'] ?? ''] + $stored;
            if (in_array($status, self::MAY_LEAVE, true)) {
                $next['released'] = true; // tell your warehouse here, if it was false
            }
            if (in_array($status, self::IS_OVER, true) && $next['released']) {
                $next['stop'] = true; // somebody has to stop the parcel, or expects it back
            }
            return $next;
        });
    }
}
