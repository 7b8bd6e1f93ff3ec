<?php
// What WordPress does to every request: https://developer.wordpress.org/reference/functions/wp_magic_quotes/
$add = function (array $values) use (&$add): array {
    return array_map(fn ($value) => is_array($value) ? $add($value) : (is_string($value) ? addslashes($value) : $value), $values);
};
[$_GET, $_POST, $_COOKIE, $_SERVER] = array_map($add, [$_GET, $_POST, $_COOKIE, $_SERVER]);
