<?php
// Run this every minute. The shop may miss notifications while it is down, or while another page answers 200 in its place, so
// this reads from the bridge what has changed.
declare(strict_types=1);

require __DIR__ . '/shop.php';

$checkout->catchUp();
