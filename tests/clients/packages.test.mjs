// The two files that talk to the bridge can be used as packages.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const EXAMPLES = new URL('../../examples/', import.meta.url).pathname;

test('npm installs the client, and a program imports it', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', join(EXAMPLES, 'node')], { cwd, stdio: 'ignore' });
    const program = `import { Bridge } from 'front-payment-bridge-client';
      import { verifyQuery, verifyWebhook } from 'front-payment-bridge-client/notification';
      console.log(typeof new Bridge({ url: '', apiKey: '' }).submit, typeof verifyQuery, typeof verifyWebhook);`;
    const printed = execFileSync('node', ['--input-type=module', '-e', program], { cwd, encoding: 'utf8' });
    assert.equal(printed, 'function function function\n');
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test("composer's files have the two classes", () => {
  const { autoload } = JSON.parse(readFileSync(join(EXAMPLES, 'php/composer.json'), 'utf8'));
  assert.deepEqual(autoload.classmap, ['bridge.php', 'notification.php']);
  const program = `${autoload.classmap.map((file) => `require '${EXAMPLES}php/${file}';`).join('')}
    echo json_encode([class_exists('FrontPaymentBridge\\\\Bridge'), class_exists('FrontPaymentBridge\\\\Notification')]);`;
  assert.equal(execFileSync('php', ['-r', program], { encoding: 'utf8' }), '[true,true]');
});
