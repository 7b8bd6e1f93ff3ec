// What docs/quickstart.md tells a newcomer to do in a browser, and what it says that the shop will say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Sandbox, Shop, decide } from './shop.mjs';

const guide = readFileSync(new URL('../../docs/quickstart.md', import.meta.url), 'utf8');
const [thanks, checking] = [...guide.matchAll(/\n\n```\n(.+)\n```\n/g)].map(([, text]) => text);

/** Sends the page's form as a browser does, with these texts. Returns where it leads. */
async function press(page, address, texts = {}) {
  const form = /<form method="post" action="(\w+)">(.*?)<\/form>/s.exec(page);
  const values = new URLSearchParams(
    [...form[2].matchAll(/name="(\w+)"(?: value="([^"]*)")?/g)].map(([, name, value]) => [name, value ?? '']),
  );
  for (const [name, value] of Object.entries(texts)) values.set(name, value);
  const reply = await fetch(new URL(form[1], address), { method: 'POST', body: values, redirect: 'manual' });
  return reply.headers.get('location');
}

const read = async (address) => (await fetch(address)).text();

for (const language of ['node', 'php']) {
  test(`the first invoice, and a lost reply: ${language}`, async () => {
    const sandbox = await new Sandbox().start();
    const shop = await new Shop(language, { bridge: sandbox }).start();
    const start = `${shop.base}/`;
    try {
      const cart = await press(await read(start), start);
      const link = await press(await read(cart), cart);
      await decide(link, 'sign');
      assert.ok((await read(`${cart}&back=success`)).includes(`<p>${thanks}</p>`));

      const other = await press(await read(start), start, { word: 'lost-reply' });
      const next = await press(await read(other), other);
      assert.ok((await read(next)).includes(`<p>${checking}</p>`));
      const [{ uuid }] = await sandbox.orders(new URL(next).searchParams.get('order'));
      await sandbox.setStatus(uuid, 'INVOICED');
      assert.match(await read(next), /INVOICED/);
    } finally {
      await shop.stop();
      shop.remove();
      await sandbox.stop();
    }
  });
}
