/*
 * picture - makes docs/screenshot.png: node tests/browser/picture.mjs
 *
 * The page as it is, on a desktop and on a phone, in front of a server in
 * memory, so that days have passed in the picture.
 */

import path from 'node:path';
import { ROOT } from '../lib/instance.mjs';
import { PHONE, launch, openPage } from '../lib/browser.mjs';
import { laboratory } from './axe.mjs';

const { server, link } = await laboratory();
const browser = await launch();

server.invited = [];

async function shot(context, prepare) {
	const page = await openPage(browser, link, context);

	await page.getByRole('link', { name: /Suzuki/u }).click();
	await page.locator('.message').nth(5).waitFor();
	await prepare(page);
	await page.evaluate(() => document.activeElement.blur());
	await page.mouse.move(1, 1);
	await page.waitForTimeout(400);
	return (await page.screenshot()).toString('base64');
}

const desktop = await shot({ viewport: { width: 1200, height: 720 },
	deviceScaleFactor: 2 }, async (page) => {
	await page.locator('.message').first().focus();
	await page.keyboard.press('t');
	await page.locator('#pane .message').nth(2).waitFor();
	await page.locator('#jump').click();
	await page.locator('#jump').waitFor({ state: 'hidden' });
});
const phone = await shot({ ...PHONE, viewport: { width: 360, height: 740 },
	colorScheme: 'dark' }, async () => {});
const frame = await (await browser.newContext({
	viewport: { width: 1600, height: 800 }, deviceScaleFactor: 1.5,
})).newPage();

await frame.setContent(`<style>
	body { margin: 0; background: #e9e5db; }
	img { position: absolute; border-radius: 14px;
		box-shadow: 0 18px 50px rgb(60 50 30 / 22%); }
	.desktop { left: 40px; top: 40px; width: 1180px; }
	.phone { right: 40px; top: 64px; width: 292px; border-radius: 30px;
		border: 8px solid #0b0d0e; }
</style>
<img class="desktop" src="data:image/png;base64,${desktop}">
<img class="phone" src="data:image/png;base64,${phone}">`);
await frame.screenshot({ path: path.join(ROOT, 'docs/screenshot.png') });
await browser.close();
server.close();
