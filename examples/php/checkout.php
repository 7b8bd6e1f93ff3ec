<?php
// What the shop does with an order: submit it, follow its status, release the goods, cancel it.
declare(strict_types=1);

use FrontPaymentBridge\Bridge;

final class Checkout
{
    // The goods may leave. Not at SENT (not signed yet), EXPIRED, CANCELLED, or while money goes back.
    private const MAY_LEAVE = ['RESERVED', 'INVOICED', 'PURRING', 'INKASSO', 'CHARGED', 'CAPTURED', 'PAID'];
    private const IS_OVER = ['EXPIRED', 'CANCELLED'];
    private const NOT_ACCEPTED = ['SUBMITTING', 'UNKNOWN', 'FAILED', 'REJECTED'];

    public function __construct(private Bridge $bridge, private Orders $orders)
    {
    }

    /** The shop's number of an order, from its reference. */
    public static function numberOf(string $reference): string
    {
        return explode('/', $reference)[0];
    }

    /**
     * The customer buys what is in the cart, and may press the button as often as they like. The cart has the `grandTotal` that
     * they were told. `$documentOf($order, $cart, $reference)` makes the order document, with the personal number, which is never
     * stored. Returns the reply of the bridge, if it has the order.
     */
    public function buy(string $number, array $cart, callable $documentOf): ?array
    {
        for ($attempt = 1; $attempt <= 3; $attempt++) {
            $order = $this->putCart($number, $cart);
            if (isset($order['released']) || !empty($order['isBeingCancelled']) || !empty($order['cancelRefused'])) {
                return null;
            }
            $reference = count($order['carts']) === 1 ? $number : $number . '/' . count($order['carts']);
            [$accepted, $problem] = $this->bridge->submit($documentOf($order, $cart, $reference), $order['key']);
            if ($accepted !== null) {
                $this->follow($number, [...$accepted, 'referenceNo' => $reference, 'grandTotal' => $cart['grandTotal']]);
                if (!in_array($accepted['status'], self::IS_OVER, true)) {
                    return $accepted;
                }
            } elseif ($problem['nextStep'] === 'read') {
                // The key has the order of an earlier cart. If it is not signed yet, the customer must not sign it any more.
                $earlier = $this->bridge->read($problem['orderId'], true);
                if ($earlier['status'] === 'SENT') {
                    $this->callOff($number, $problem['orderId']);
                    $earlier = $this->bridge->read($problem['orderId']);
                }
                $this->follow($number, $earlier);
                if (!in_array($earlier['status'], self::IS_OVER, true)) {
                    return null;
                }
            } else {
                $this->orders->change($number, fn (array $stored): array =>
                    array_filter(['problem' => $problem, 'orderId' => $problem['orderId'] ?? null]) + $stored);
                return null;
            }
            $this->takeNewKey($number, $order['key']);
        }
        return null;
    }

    /** Asks the bridge for the order, and stores what it says. Sends nothing, so it may be called at any time. */
    public function look(string $number, bool $refresh = false): ?array
    {
        $order = $this->orders->find($number);
        $orderId = $order['orderId'] ?? $this->bridge->find($order['key'])['orderId'] ?? null;
        foreach ($order['earlier'] as $id) {
            $this->follow($number, $this->bridge->read($id));
        }
        if ($orderId === null) {
            return null;
        }
        $current = $this->bridge->read($orderId, $refresh);
        $this->follow($number, $current);
        return $current;
    }

    /** The customer does not want the order any more. That is stored first: if it does not reach the bridge, it is repeated. */
    public function cancel(string $number): void
    {
        $orderId = $this->orders->find($number)['orderId'] ?? null;
        if ($orderId !== null) {
            $this->orders->change($number, fn (array $order): array => ['isBeingCancelled' => true] + $order);
            $this->callOff($number, $orderId);
        }
        $this->look($number);
    }

    /** Reads what has changed, because notifications can be missed, and repeats cancellations without an answer. */
    public function catchUp(): void
    {
        foreach ($this->orders->all() as $order) {
            if (!empty($order['isBeingCancelled'])) {
                $this->cancel($order['number']);
            }
        }
        $page = [];
        do {
            $page = $this->bridge->changed($this->orders->listedUntil(), $page['next'] ?? null);
            foreach ($page['orders'] as $current) {
                $reference = $current['referenceNo'] ?? '';
                $number = self::numberOf($reference);
                if ($this->isOwn($number, $current['orderId'])) {
                    $this->follow($number, $current);
                } else {
                    error_log("not in this shop: $current[orderId], reference $reference. Lost with a backup?");
                }
            }
        } while (isset($page['next']));
        $this->orders->setListedUntil($page['until']);
    }

    /**
     * If the cancellation is refused while the order is SENT, nobody gets its link any more, and a person decides: the customer
     * would sign what they do not want.
     */
    private function callOff(string $number, string $orderId): void
    {
        $isRefused = ($this->bridge->cancel($orderId)['nextStep'] ?? '') === 'read';
        $this->orders->change($number, fn (array $order): array => ['cancelRefused' => $isRefused] + $order);
    }

    /** The number proves nothing: a shop that was restored from a backup gives the numbers of lost orders to other customers. */
    private function isOwn(string $number, string $orderId): bool
    {
        $order = $this->orders->find($number);
        if ($order === null) {
            return false;
        }
        $current = $order['orderId'] ?? $this->bridge->find($order['key'])['orderId'] ?? null;
        return $orderId === $current || in_array($orderId, $order['earlier'], true);
    }

    /** Each change of the cart has a reference of its own, so that the shop knows which cart was invoiced. */
    private function putCart(string $number, array $cart): array
    {
        return $this->orders->change($number, function (array $order) use ($cart): array {
            if (!isset($order['released']) && end($order['carts']) !== $cart) {
                $order['carts'][] = $cart;
            }
            return $order;
        });
    }

    /**
     * The order of the key is cancelled or expired, so the customer gets a new one. That is the only reason for a new key.
     * Another request may have taken one meanwhile.
     */
    private function takeNewKey(string $number, string $usedKey): void
    {
        $this->orders->change($number, function (array $order) use ($usedKey): array {
            if ($order['key'] === $usedKey) {
                $order['earlier'][] = $order['orderId'];
                $order['carts'][] = end($order['carts']);
                $order['key'] = bin2hex(random_bytes(16));
                unset($order['orderId'], $order['status'], $order['updatedAt'], $order['isBeingCancelled']);
            }
            return $order;
        });
    }

    /** Stores what the bridge says of an order. Goods are released once, also if the same status is heard again. */
    private function follow(string $number, array $current): array
    {
        return $this->orders->change($number, function (array $order) use ($current): array {
            $status = $current['status'];
            $isOver = in_array($status, self::IS_OVER, true);
            if (in_array($current['orderId'], $order['earlier'], true)) {
                // A cancelled order should stay so. If it lives again, there may be two invoices, and a person has to look.
                $order['alsoAlive'] = $isOver ? null : $current['orderUuid'];
                return $order;
            }
            if (isset($order['updatedAt']) && ($current['updatedAt'] ?? '') < $order['updatedAt']) {
                return $order; // overtaken by a newer one
            }
            $wantsToCancel = isset($current['cancelRequestedAt']);
            $order = ['orderId' => $current['orderId'], 'status' => $status, 'updatedAt' => $current['updatedAt'] ?? '',
                'isBeingCancelled' => $wantsToCancel && !$isOver,
                'cancelRefused' => !empty($order['cancelRefused']) && $status === 'SENT'] + $order;
            if (!in_array($status, self::NOT_ACCEPTED, true)) {
                unset($order['problem']);
            }
            $isSold = in_array($status, self::MAY_LEAVE, true) && !$wantsToCancel;
            $cart = $order['carts'][(int) (explode('/', $current['referenceNo'])[1] ?? 1) - 1] ?? null;
            $mayLeave = $isSold && ($cart['grandTotal'] ?? null) === $current['grandTotal'];
            if ($mayLeave) {
                $order['released'] ??= $cart; // tell your warehouse here
            }
            // Somebody stops the parcel, expects it back, or asks why the invoice has another amount.
            $order['stop'] = !$mayLeave && ($isSold || isset($order['released']));
            return $order;
        });
    }
}
