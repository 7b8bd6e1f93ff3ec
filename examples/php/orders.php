<?php
// The shop's own orders, in a file for each. In your shop this is a table of your database.
declare(strict_types=1);

final class Orders
{
    public function __construct(private string $directory)
    {
        if (!is_dir($directory)) {
            mkdir($directory, 0700, true);
        }
    }

    public function find(string $number): ?array
    {
        $text = @file_get_contents($this->path($number));
        return $text === false ? null : json_decode($text, true, flags: JSON_THROW_ON_ERROR);
    }

    /**
     * The key is made once, with the order, and stored before anything is sent. A key that is made when the order is sent
     * would be another one after a crash, and the customer would get a second invoice.
     */
    public function create(string $number, string $document): void
    {
        $order = ['number' => $number, 'key' => bin2hex(random_bytes(16)), 'document' => $document, 'state' => 'new', 'released' => false];
        $file = @fopen($this->path($number), 'x'); // fails if it is there: two clicks make one order
        if ($file !== false) {
            fwrite($file, json_encode($order, JSON_THROW_ON_ERROR));
            fclose($file);
        }
    }

    /** Changes an order. PHP serves requests side by side, so the order is locked, and read anew, first. */
    public function change(string $number, callable $change): array
    {
        $lock = fopen($this->path($number) . '.lock', 'c');
        flock($lock, LOCK_EX);
        $order = $change($this->find($number));
        file_put_contents($this->path($number) . '.new', json_encode($order, JSON_THROW_ON_ERROR));
        rename($this->path($number) . '.new', $this->path($number)); // whole, or not at all
        fclose($lock);
        return $order;
    }

    private function path(string $number): string
    {
        return $this->directory . '/' . bin2hex($number) . '.json'; // no number is a path
    }
}
