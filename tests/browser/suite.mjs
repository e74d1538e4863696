/*
 * suite - runs the browser tests; the last line is `N passed, N failed`
 *
 * A test returns what it opened ({server, page}); a page that complained
 * (an exception, a refused resource) fails its test.
 */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { launch } from '../lib/browser.mjs';
import { ROOT } from '../lib/instance.mjs';

export const PICTURES = path.join(ROOT, 'build/test/browser');

async function main() {
	const wanted = process.argv.slice(2);
	let passed = 0, failed = 0;

	await mkdir(PICTURES, { recursive: true });
	for (const file of ['./page.mjs', './hands.mjs', './edits.mjs',
		'./corners.mjs', './axe.mjs', './large.mjs', './two_pages.mjs',
		'./functions.mjs']) {
		const { tests, begin, end } = await import(file);
		const chosen = Object.entries(tests)
			.filter(([name]) => !wanted.length || wanted.includes(name));

		if (chosen.length === 0)
			continue;
		const trouble = await begin?.().then(() => '', (error) => error.stack);

		for (const [name, test] of chosen) {
			const complaint = trouble || await attempt(name, test);

			passed += Number(!complaint);
			failed += Number(Boolean(complaint));
			console.log(complaint ? `FAIL ${name}\n  ${complaint}` : `ok   ${name}`);
		}
		await end?.();
	}
	console.log(`${passed} passed, ${failed} failed`);
	return failed ? 1 : 0;
}

/* What went wrong, or undefined. */
async function attempt(name, test) {
	const browser = await launch();
	let opened = {};

	try {
		opened = await test(browser) ?? {};
		if (opened.page?.complaints.length)
			throw new Error(`the page says: ${opened.page.complaints.join('; ')}`);
		return undefined;
	} catch (error) {
		await photograph(browser, name);
		return error.stack;
	} finally {
		await browser.close();
		opened.server?.close();
	}
}

/* How it looked when it failed. */
async function photograph(browser, name) {
	const pages = browser.contexts().flatMap((context) => context.pages());

	for (const [i, page] of pages.entries())
		await page.screenshot({
			path: path.join(PICTURES, `failed-${name}-${i}.png`),
		}).catch(() => {});
}

main().then((code) => process.exit(code), (error) => {
	console.error(error.stack);
	console.log('0 passed, 1 failed');
	process.exit(1);
});
