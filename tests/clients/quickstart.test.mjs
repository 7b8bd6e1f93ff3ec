// What docs/quickstart.md tells a newcomer to type, and what it says will be printed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Sandbox, Shop, decide } from './shop.mjs';

const page = readFileSync(new URL('../../docs/quickstart.md', import.meta.url), 'utf8');
const commands = [...page.matchAll(/^curl .*$/gm)].map(([command]) => command);
const printed = [...page.matchAll(/\n\n```\n(.+)\n```\n/g)].map(([, text]) => text);

for (const language of ['node', 'php']) {
  test(`the first invoice, and a lost reply: ${language}`, async () => {
    const sandbox = await new Sandbox().start();
    const shop = await new Shop(language, 'front-payment', sandbox).start();
    try {
      const type = (command) => execFileSync('sh', ['-c', command.replace('http://127.0.0.1:8080', shop.base)], { encoding: 'utf8' });
      const [buy, buyAndLose, look] = commands;
      const link = /location: (\S+)/i.exec(type(buy))[1];
      await decide(link, 'sign');
      assert.equal(await shop.thankYou('1001'), printed[0]);
      type(buyAndLose);
      assert.equal(type(look), printed[1]);
      const [{ uuid }] = await sandbox.orders('1002-lost-reply');
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.match(await shop.thankYou('1002-lost-reply'), /INVOICED/);
    } finally {
      await shop.stop();
      shop.remove();
      sandbox.stop();
    }
  });
}
