<?php
// What the customer sees: where the order stands, and what can be done about it.
declare(strict_types=1);

/** `$link` is there while the customer has to sign, `$cameBack` after BankID has sent them back. */
function orderPage(array $order, ?string $link, bool $cameBack): string
{
    [$status, $problem] = [$order['status'] ?? null, $order['problem'] ?? null];
    $cancel = form('cancel', $order, '<button>Cancel</button>');
    $sign = $cameBack ? 'Not signed yet? Sign' : 'Sign';
    $errors = implode('; ', array_map(fn (array $error): string => "$error[pointer] $error[detail]", $problem['errors'] ?? []));
    return match (true) {
        isset($order['released']) && empty($order['stop']) => page("Thank you! Your order is on its way. ($status)"),
        !empty($order['stop']), !empty($order['cancelRefused']), isset($order['alsoAlive']) =>
            page("We are checking your order. We will write to you. ($status)"),
        !empty($order['isBeingCancelled']) => page('Your order is being cancelled. Look again in a minute.', $cancel),
        $status === 'SENT' => page(
            $cameBack ? 'We are waiting for the confirmation of your signature.' : 'Please sign your order.',
            $link === null ? '' : '<p><a href="' . htmlspecialchars($link) . "\">$sign with BankID</a></p>",
            $cancel,
        ),
        in_array($status, ['SUBMITTING', 'UNKNOWN'], true), $status === null && ($problem['nextStep'] ?? '') === 'look' =>
            page('We are checking your order. Please do not order again; we will write to you.'),
        in_array($status, ['EXPIRED', 'CANCELLED'], true) => page("Your order is $status. You can order again.", buy($order)),
        $status !== null && !in_array($status, ['FAILED', 'REJECTED'], true) => page("Your order is $status."),
        $errors !== '' => page("Something is not right, and nothing was ordered: $errors", buy($order)),
        $problem !== null => page('We could not place your order just now. Please try again.', buy($order)),
        default => page('Your cart', buy($order)),
    };
}

function startPage(): string
{
    $word = '<label>A word of the sandbox\'s <input name="word"></label>';
    return page('A shop for routers', "<form method=\"post\" action=\"cart\">$word <button>Into the cart</button></form>");
}

/** The personal number is asked for each time, because the shop does not keep it. */
function buy(array $order): string
{
    $quantity = end($order['carts'])['quantity'] ?? 1;
    return form('checkout', $order, "<label>Routers <input name=\"quantity\" value=\"$quantity\"></label>
<label>Personal number <input name=\"personalNumber\" value=\"30908299902\"></label> <button>Buy on invoice</button>");
}

function form(string $action, array $order, string $inputs): string
{
    [$number, $secret] = [htmlspecialchars($order['number']), $order['secret']];
    return "<form method=\"post\" action=\"$action\"><input type=\"hidden\" name=\"order\" value=\"$number\">
<input type=\"hidden\" name=\"secret\" value=\"$secret\">$inputs</form>";
}

function page(string $text, string ...$parts): string
{
    $text = htmlspecialchars($text);
    return "<!doctype html><html lang=\"en\"><title>Shop</title><p>$text</p>" . implode("\n", $parts) . "</html>\n";
}
