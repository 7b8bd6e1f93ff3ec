<?php
// What index.php and cron.php have in common.
declare(strict_types=1);

use FrontPaymentBridge\Bridge;

require __DIR__ . '/bridge.php';
require __DIR__ . '/notification.php';
require __DIR__ . '/orders.php';
require __DIR__ . '/checkout.php';
require __DIR__ . '/pages.php';

function setting(string $name, string $default): string
{
    return getenv($name) ?: $default;
}

$orders = new Orders(setting('ORDERS_DIR', sys_get_temp_dir() . '/shop-orders'));
$bridge = new Bridge(
    setting('BRIDGE_URL', 'http://127.0.0.1:3000'),
    setting('API_KEY', 'demo-shop-key'),
    (int) setting('RETRY_FOR_SECONDS', '20'),
);
$checkout = new Checkout($bridge, $orders);
