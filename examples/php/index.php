<?php
// A shop of three routes: checkout, thank-you page, notifications. Start: php -S 127.0.0.1:8080 index.php
declare(strict_types=1);

require __DIR__ . '/bridge.php';
require __DIR__ . '/orders.php';
require __DIR__ . '/checkout.php';
require __DIR__ . '/notification.php';

$setting = fn (string $name, string $default): string => getenv($name) ?: $default;
$own = $setting('SHOP_URL', 'http://' . $_SERVER['HTTP_HOST']); // as customers and the bridge reach this shop
$keys = explode(',', $setting('NOTIFY_KEYS', 'whsec_ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk='));
$orders = new Orders($setting('ORDERS_DIR', sys_get_temp_dir() . '/shop-orders'));
$bridge = new Bridge($setting('BRIDGE_URL', 'http://127.0.0.1:3000'), $setting('API_KEY', 'demo-shop-key'), (int) $setting('RETRY_FOR_SECONDS', '20'));
$checkout = new Checkout($bridge, $orders);

/** The order that the bridge gets. Amounts are texts, because floating point is not exact. */
function documentOf(string $number, string $own): string
{
    $page = fn (string $name): string => "$own/$name?order=" . rawurlencode($number);
    return json_encode([
        'products' => [['name' => 'Router', 'productId' => 'R_1', 'quantity' => '1', 'rate' => '40.00', 'discount' => '0', 'tax' => '0', 'amount' => '40.00']],
        'orderSummary' => ['subTotal' => '40.00', 'totalTax' => '0', 'totalDiscount' => '0', 'grandTotal' => '40.00'],
        'orderDate' => (string) time(),
        'customerDetails' => [
            'type' => 'private', 'name' => 'Kari Nordmann', 'email' => 'kari@example.com', 'countryCode' => '+47', 'msisdn' => '46567468',
            'personalNumber' => '30908299902',
            'address' => ['street' => 'Klosterenget 144', 'zip' => '7030', 'city' => 'Trondheim', 'country' => 'NO'],
        ],
        'referenceNo' => $number, // an order number, never a person's name
        'invoiceFeeApplicable' => true,
        'callback' => ['callbackUrl' => $page('notification'), 'success' => $page('thank-you'), 'failure' => $page('thank-you')],
    ], JSON_THROW_ON_ERROR);
}

function sentence(array $order): string
{
    return match (true) {
        $order['released'] && empty($order['stop']) => "Thank you! Your order is on its way. ({$order['status']})",
        !empty($order['bankIdUrl']) => "Please sign your order: {$order['bankIdUrl']}",
        $order['state'] === 'accepted' => "Your order is {$order['status']}.",
        $order['state'] === 'correct' => 'Something in your order is not right. Nothing was ordered.',
        $order['state'] === 'later' => 'We could not place your order just now. We try again.',
        default => 'We are checking your order. Please do not order again; we will write to you.',
    };
}

function answer(int $status, string $text = ''): never
{
    http_response_code($status);
    header('Content-Type: text/plain; charset=utf-8');
    exit($text);
}

/** A notification is a sign to read the order. So an old one, or the same one twice, does no harm. */
function notified(string $number, Orders $orders, Checkout $checkout): never
{
    if ($orders->find($number) === null) {
        answer(404, 'no such order');
    }
    $checkout->advance($number); // well within the ten seconds that the bridge waits
    answer(204);
}

$route = $_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
switch ($route) {
    case 'POST /checkout': // Pressing "buy" twice, or a reload, is the same order and the same key.
        $number = $_POST['order'] ?? '';
        if (!is_string($number) || $number === '') {
            answer(400, 'no order');
        }
        $orders->create($number, documentOf($number, $own));
        $order = $checkout->advance($number);
        header('Location: ' . ($order['bankIdUrl'] ?? "$own/thank-you?order=" . rawurlencode($number)), true, 303);
        exit;

    case 'GET /thank-you': // BankID sends the customer here, signed or not. The address proves nothing: the bridge is asked.
        $number = (string) ($_GET['order'] ?? '');
        answer(...$orders->find($number) === null ? [404, 'no such order'] : [200, sentence($checkout->advance($number))]);

    case 'GET /notification':
        Notification::isVerifiedQuery($_GET, $keys) || answer(403, 'not verified');
        notified((string) ($_GET['order'] ?? ''), $orders, $checkout);

    case 'POST /notification':
        $headers = array_change_key_case(getallheaders(), CASE_LOWER);
        $event = Notification::verifiedWebhook($headers, file_get_contents('php://input'), $keys, time()) ?? answer(403, 'not verified');
        notified($event['data']['referenceNo'] ?? '', $orders, $checkout);

    default:
        answer(404, 'no such page');
}
