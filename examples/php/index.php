<?php
// A shop: cart, checkout, the order's page, notifications. Start: php -S 127.0.0.1:8080 index.php
declare(strict_types=1);

use FrontPaymentBridge\Notification;

require __DIR__ . '/shop.php';

$own = setting('SHOP_URL', 'http://' . $_SERVER['HTTP_HOST']); // as customers and the bridge reach this shop
$keys = explode(',', setting('NOTIFY_KEYS', 'whsec_ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk='));
$urlOf = fn (string $page, array $values): string => "$own/$page?" . http_build_query($values);
$pageOf = fn (array $order, array $values = []): string =>
    $urlOf('order', ['order' => $order['number'], 'secret' => $order['secret']] + $values);

const NET = 4000; // of a router: øre, without VAT
const PRICE = 5000; // and with 25 % VAT
$kroner = fn (int $ore): string => sprintf('%d.%02d', intdiv($ore, 100), $ore % 100);

/** The order that the bridge gets. Whole øre until the end, because floating point is not exact. */
$documentOf = fn (string $personalNumber): callable => function (array $order, array $cart, string $reference)
use ($personalNumber, $urlOf, $pageOf, $kroner): array {
    $net = NET * $cart['quantity'];
    return [
        'products' => [[
            'name' => 'Router', 'productId' => 'R_1', 'quantity' => (string) $cart['quantity'], 'rate' => $kroner(NET),
            'discount' => '0', 'tax' => '25', 'amount' => $kroner($net),
        ]],
        'orderSummary' => [
            'subTotal' => $kroner($net), 'totalTax' => $kroner(PRICE * $cart['quantity'] - $net), 'totalDiscount' => '0',
            'grandTotal' => $cart['grandTotal'],
        ],
        'orderDate' => (string) time(),
        'customerDetails' => [
            'type' => 'private', 'name' => 'Kari Nordmann', 'email' => 'kari@example.com',
            'countryCode' => '+47', 'msisdn' => '46567468', 'personalNumber' => $personalNumber,
            'address' => ['street' => 'Klosterenget 144', 'zip' => '7030', 'city' => 'Trondheim', 'country' => 'NO'],
        ],
        'referenceNo' => $reference, // an order number, never a person's name
        'invoiceFeeApplicable' => true,
        'callback' => [
            'callbackUrl' => $urlOf('notification', ['order' => $order['number']]),
            'success' => $pageOf($order, ['back' => 'success']),
            'failure' => $pageOf($order, ['back' => 'failure']),
        ],
    ];
};

/** The order that these values name, if they also have its secret: order numbers can be guessed. */
$ownOrder = function (array $values) use ($orders): array {
    [$number, $secret] = [$values['order'] ?? '', $values['secret'] ?? ''];
    $order = is_string($number) && is_string($secret) ? $orders->find($number) : null;
    return $order !== null && hash_equals($order['secret'], $secret) ? $order : answer(404, 'no such order');
};

/** A notification is a sign to read the order. So an old one, or the same one twice, does no harm. */
$notified = function (string $number) use ($orders, $checkout): never {
    if ($orders->find($number) === null) {
        // Not an order of this shop, and it does not become one if the bridge tells it again.
        answer(200, 'verified, but there is no such order');
    }
    $checkout->look($number); // if this fails, the answer is a 503, and the bridge tells it again
    answer(204);
};

// The address contains the order's secret, and the page a link for one person: neither may be cached or passed on.
header('Cache-Control: no-store');
header('Referrer-Policy: no-referrer');

function answer(int $status, string $text = '', string $type = 'text/plain'): never
{
    http_response_code($status);
    header("Content-Type: $type; charset=utf-8");
    exit($text);
}

function redirect(string $url): never
{
    header("Location: $url", true, 303);
    exit;
}

set_exception_handler(function (Throwable $error): never {
    error_log((string) $error);
    answer(503, 'something failed, try again');
});

// The query as it was sent, and not $_GET, which WordPress and others change.
[$path, $search] = explode('?', $_SERVER['REQUEST_URI'], 2) + [1 => ''];
parse_str($search, $query);
$body = file_get_contents('php://input');
parse_str($body, $form);

switch ("$_SERVER[REQUEST_METHOD] $path") {
    case 'GET /':
        answer(200, startPage(), 'text/html');

    case 'POST /cart':
        redirect($pageOf($orders->create(empty($form['word']) ? '' : "-$form[word]")));

    // BankID sends the customer here, too, signed or not. The address proves nothing, so the bridge is asked.
    case 'GET /order':
        $number = $ownOrder($query)['number'];
        try {
            $current = $checkout->look($number, isset($query['back']));
        } catch (RuntimeException $error) {
            error_log((string) $error);
        }
        $cameBack = ($query['back'] ?? '') === 'success';
        answer(200, orderPage($orders->find($number), $current['bankIdUrl'] ?? null, $cameBack), 'text/html');

    case 'POST /checkout':
        $order = $ownOrder($form);
        $quantity = filter_var($form['quantity'] ?? 1, FILTER_VALIDATE_INT, ['options' => ['min_range' => 1, 'max_range' => 99]]);
        $quantity !== false || answer(400, 'how many?');
        $cart = ['quantity' => $quantity, 'grandTotal' => $kroner(PRICE * $quantity)];
        $accepted = $checkout->buy($order['number'], $cart, $documentOf($form['personalNumber'] ?? ''));
        redirect($accepted['bankIdUrl'] ?? $pageOf($order));

    case 'POST /cancel':
        $order = $ownOrder($form);
        $checkout->cancel($order['number']);
        redirect($pageOf($order));

    case 'GET /notification':
        $values = Notification::verifiedQuery($search, $keys) ?? answer(403, 'not verified');
        $notified($values['order'] ?? '');

    case 'POST /notification':
        $headers = array_change_key_case(getallheaders(), CASE_LOWER);
        $event = Notification::verifiedWebhook($headers, $body, $keys, time()) ?? answer(403, 'not verified');
        $notified(Checkout::numberOf($event['data']['referenceNo'] ?? ''));

    default:
        answer(404, 'no such page');
}
