/*
 * browser - Debian's Chromium, driven by playwright-core
 */

import { chromium } from 'playwright-core';

/* Without the last ones every start looks for hosts of its maker. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic',
	'--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

export const PHONE = { viewport: { width: 390, height: 780 },
	deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const DESKTOP = { viewport: { width: 1180, height: 760 } };

export function launch() {
	return chromium.launch({
		executablePath: process.env.CHEMCHAT_CHROMIUM ?? '/usr/bin/chromium',
		args: FLAGS,
	});
}

/*
 * A page of its own browser context: another person, another phone.  What
 * the page complains about is kept in `complaints`.
 */
export async function openPage(browser, url, context = DESKTOP) {
	const page = await (await browser.newContext(context)).newPage();

	page.complaints = [];
	page.on('pageerror', (error) => page.complaints.push(String(error)));
	page.on('console', (line) => {
		if (line.type() === 'error' && !/WebSocket connection/u.test(line.text()))
			page.complaints.push(line.text());
	});
	await page.goto(url);
	return page;
}
