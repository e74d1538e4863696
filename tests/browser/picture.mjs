/*
 * picture - makes docs/screenshot.png: node tests/browser/picture.mjs
 *
 * The page as it is, on a desktop and on a phone, in front of a server in
 * memory, so that days have passed in the picture.
 */

import path from 'node:path';
import { MockServer } from '../lib/mock_server.mjs';
import { ROOT } from '../lib/instance.mjs';
import { PHONE, launch, openPage } from '../lib/browser.mjs';

const MINUTE = 60000;
const DAY = 24 * 60 * MINUTE;

const server = new MockServer();

await server.listen();
const alice = server.addUser('alice', 'Alice Grünwald');
const bob = server.addUser('bob', 'Bob Okafor');
const mia = server.addUser('mia', 'Mia Tanaka');
const suzuki = server.addConversation('group', 'Suzuki coupling', [alice, bob, mia]);
const direct = server.addConversation('direct', null, [alice, mia]);
const nmr = server.addConversation('channel', 'NMR bookings', [alice, bob, mia]);
const safety = server.addConversation('channel', 'Safety', [alice, bob, mia]);

function said(conversation, lines) {
	for (const [sender, agoMs, body] of lines)
		server.write(conversation, sender, body, { agoMs });
}

said(suzuki, [
	[bob, DAY + 90 * MINUTE, 'The column for batch 14 is packed and equilibrated.'],
	[mia, DAY + 88 * MINUTE, 'Crude is in the −20 freezer, second shelf, label “14‑B”.'],
	[alice, DAY + 80 * MINUTE, 'I will run it after the group meeting. 5 → 40 % EtOAc?'],
	[bob, DAY + 79 * MINUTE, 'Start at 10, the impurity runs with the front anyway.'],
	[alice, 42 * MINUTE, 'Fractions 11–17 are clean. On the rotavap now, NMR at three.'],
	[alice, 41 * MINUTE, 'Yield looks like 78 %.'],
	[mia, 38 * MINUTE, 'That is 20 more than with the old ligand!'],
	[bob, 3 * MINUTE, 'Lovely. Could you put the mass balance into the notebook ' +
		'before we order more of the boronic ester?'],
	[alice, MINUTE, 'On it. It goes in tonight.'],
]);
said(direct, [[mia, 12 * MINUTE, 'Coffee at four?']]);
said(nmr, [[bob, 2 * DAY, '600 MHz is free on Thursday from 14:00']]);
said(safety, [[mia, 4 * DAY, 'Eyewash in 2.14 is checked and signed off.']]);

const browser = await launch();

async function shot(context) {
	const page = await openPage(browser,
		`${server.url}/#token=${server.token(alice)}`, context);

	await page.locator('.conversation').nth(3).waitFor();
	for (const name of [/NMR/u, /Safety/u, /Suzuki/u]) {
		if (!await page.locator('.sidebar').isVisible())
			await page.goBack();
		await page.getByRole('link', { name }).click();
		await page.locator('.bubble').first().waitFor();
	}
	await page.locator('.sender').first().waitFor();
	await page.evaluate(() => document.activeElement.blur());
	await page.waitForTimeout(300);
	return (await page.screenshot()).toString('base64');
}

const desktop = await shot({ viewport: { width: 980, height: 680 },
	deviceScaleFactor: 2 });
const phone = await shot({ ...PHONE, viewport: { width: 360, height: 714 },
	colorScheme: 'dark' });
const frame = await (await browser.newContext({
	viewport: { width: 1440, height: 760 }, deviceScaleFactor: 1.5,
})).newPage();

await frame.setContent(`<style>
	body { margin: 0; background: #e9e5db; }
	img { position: absolute; border-radius: 14px;
		box-shadow: 0 18px 50px rgb(60 50 30 / 22%); }
	.desktop { left: 40px; top: 40px; width: 980px; }
	.phone { right: 40px; top: 56px; width: 316px; border-radius: 30px;
		border: 8px solid #0b0d0e; }
</style>
<img class="desktop" src="data:image/png;base64,${desktop}">
<img class="phone" src="data:image/png;base64,${phone}">`);
await frame.screenshot({ path: path.join(ROOT, 'docs/screenshot.png') });
await browser.close();
server.close();
