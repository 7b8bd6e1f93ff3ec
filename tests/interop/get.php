<?php
// Prints $_GET in its order: name=value in hex with & between, or "array".
// php get.php: for each line of the standard input, a query. php -S 127.0.0.1:8000 get.php: for each request.

function show(array $get): void
{
    $entry = fn ($name, $value) => is_array($value) ? 'array' : bin2hex($name) . '=' . bin2hex($value);
    echo implode('&', array_map($entry, array_keys($get), $get)), "\n";
}

if (PHP_SAPI === 'cli') {
    while (($query = fgets(STDIN)) !== false) {
        parse_str(rtrim($query, "\n"), $get);
        show($get);
    }
} else {
    show($_GET);
}
