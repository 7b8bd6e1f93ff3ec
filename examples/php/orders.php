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

    public function all(): array
    {
        return array_map(fn (string $path): array => json_decode(file_get_contents($path), true), glob("$this->directory/*.json"));
    }

    public function find(string $number): ?array
    {
        $text = @file_get_contents($this->path($number));
        return $text === false ? null : json_decode($text, true, flags: JSON_THROW_ON_ERROR);
    }

    /**
     * The key is made once, with the order, and stored before anything is sent. A key that is made when the order is sent
     * would be another one after a crash, and the customer would get a second invoice. The secret keeps strangers from the order.
     */
    public function create(string $suffix): array
    {
        for ($next = 1001; ; $next++) {
            $number = $next . $suffix;
            [$secret, $key] = [bin2hex(random_bytes(16)), bin2hex(random_bytes(16))];
            $order = ['number' => $number, 'secret' => $secret, 'key' => $key, 'carts' => [], 'earlier' => []];
            $file = @fopen($this->path($number), 'x'); // fails if it is there
            if ($file !== false) {
                fwrite($file, json_encode($order, JSON_THROW_ON_ERROR));
                fclose($file);
                return $order;
            }
        }
    }

    /** Changes an order. PHP serves requests at the same time, so the order is first locked and read again. */
    public function change(string $number, callable $change): array
    {
        $lock = fopen($this->path($number) . '.lock', 'c');
        flock($lock, LOCK_EX);
        $order = $change($this->find($number));
        $this->write($this->path($number), json_encode($order, JSON_THROW_ON_ERROR));
        fclose($lock);
        return $order;
    }

    /** Until when the list of changed orders was read. */
    public function listedUntil(): ?string
    {
        return @file_get_contents("$this->directory/listed-until") ?: null;
    }

    public function setListedUntil(string $instant): void
    {
        $this->write("$this->directory/listed-until", $instant);
    }

    private function write(string $path, string $text): void
    {
        file_put_contents("$path.new", $text);
        rename("$path.new", $path); // whole, or not at all
    }

    private function path(string $number): string
    {
        return $this->directory . '/' . bin2hex($number) . '.json'; // no number is a path
    }
}
