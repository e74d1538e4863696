/* What stands in two places says the same in both. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { SHORTCUTS } from '../../../web/shortcuts.js';

const ROOT = new URL('../../../', import.meta.url);
const read = (name) => readFile(new URL(name, ROOT), 'utf8');

test('the_service_worker_keeps_exactly_the_pages_files', async () => {
	const worker = await read('web/sw.js');
	const kept = /const FILES = \[([^\]]*)\]/u.exec(worker)[1]
		.match(/'[^']+'/gu).map((name) => name.slice(1, -1)).sort();
	const there = (await readdir(new URL('web/', ROOT))).filter((name) =>
		/\.(?:js|css|svg|webmanifest)$/u.test(name) && name !== 'sw.js')
		.map((name) => `/${name}`);

	assert.deepEqual(kept, ['/', ...there].sort());
});

test('the_documented_keys_are_those_of_the_page', async () => {
	const text = await read('docs/web.md');
	const table = text.slice(text.indexOf('| where | keys |'),
		text.indexOf('Browsers keep some keys'));
	const rows = [...table.matchAll(/^\|([^|]*)\| `([^`]+)` \| ([^|]+) \|$/gmu)]
		.map(([, where, keys, words]) => [where.trim(), keys, words]);

	assert.deepEqual(rows, SHORTCUTS.flatMap(([where, keys]) =>
		keys.map(([key, words], i) => [i === 0 ? where : '', key, words])));
});

test('every_element_the_modules_ask_for_is_in_the_page', async () => {
	const html = await read('web/index.html');
	const ids = new Set([...html.matchAll(/ id="([^"]+)"/gu)]
		.map(([, id]) => id));
	const names = (await readdir(new URL('web/', ROOT)))
		.filter((name) => name.endsWith('.js'));
	const missing = [];

	for (const name of names) {
		for (const [, id] of (await read(`web/${name}`))
			.matchAll(/byId\('([^']+)'\)/gu)) {
			if (!ids.has(id))
				missing.push(`${name}: ${id}`);
		}
	}
	assert.deepEqual(missing, []);
	assert.ok(!/ on\w+=| style=/u.test(html), 'nothing inline');
});
