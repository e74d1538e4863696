/*
 * two_pages - two people with two browsers on the real thing
 *
 * One instance (scripts/run) for all of them, as `make run` gives it: Alice
 * on a desktop, Bob on a phone, in the demo conversation.
 */

import assert from 'node:assert/strict';
import path from 'node:path';
import { Instance, ROOT, quote } from '../lib/instance.mjs';
import { DESKTOP, PHONE, openPage } from '../lib/browser.mjs';
import { waitFor } from '../lib/wait.mjs';

const PICTURES = path.join(ROOT, 'build/test/browser');
const SOON = { withinMs: 1000, everyMs: 10 };

let instance = null;

export async function begin() {
	instance = new Instance();
	await instance.start();
}

export async function end() {
	await instance.stop();
}

const link = (token) => `${instance.env.CHEMCHAT_URL}/#token=${token}`;

async function two(browser) {
	const alice = await openPage(browser,
		link(instance.env.CHEMCHAT_TOKEN_ALICE), DESKTOP);
	const bob = await openPage(browser, link(instance.env.CHEMCHAT_TOKEN_BOB),
		{ ...PHONE, colorScheme: 'dark' });

	for (const page of [alice, bob]) {
		await page.getByRole('link', { name: /General/u }).click();
		await page.locator('#body').waitFor();
	}
	return { alice, bob };
}

async function say(page, text) {
	await page.locator('#body').fill(text);
	await page.keyboard.press('Enter');
}

const sees = (page, text, patience = {}) => waitFor(`it shows ${text}`,
	async () => (await page.locator('.bubble .text').allInnerTexts())
		.includes(text), patience);

function noComplaints(...pages) {
	assert.deepEqual(pages.flatMap((page) => page.complaints), []);
}

const sendFromSql = (body) => `SELECT * FROM chemchat.send_message(${
	quote(instance.env.CHEMCHAT_ALICE)}, ${
	quote(instance.env.CHEMCHAT_CONVERSATION)}, gen_random_uuid(), ${quote(body)});`;

export const tests = {
	async two_pages_talk_to_each_other(browser) {
		const { alice, bob } = await two(browser);

		await say(alice, 'Is the fume hood free?');
		await sees(bob, 'Is the fume hood free?');
		await say(bob, 'From two o\'clock. The column is still running.');
		await sees(alice, 'From two o\'clock. The column is still running.');
		await say(alice, 'Then I will weigh out the ligand meanwhile.');
		await sees(bob, 'Then I will weigh out the ligand meanwhile.');
		await alice.locator('.is-pending').waitFor({ state: 'detached' });
		/* whose is whose, and by name */
		assert.equal(await alice.locator('.is-own .text').first().innerText(),
			'Is the fume hood free?');
		assert.equal(await alice.locator('.sender').first().innerText()
			.then((text) => text.split('\n').at(-1)), 'Bob');
		assert.equal(await bob.locator('.sender').first().innerText()
			.then((text) => text.split('\n').at(-1)), 'Alice');
		await alice.screenshot({ path: path.join(PICTURES, 'alice.png') });
		await bob.screenshot({ path: path.join(PICTURES, 'bob.png') });
		noComplaints(alice, bob);
	},

	async what_sql_commits_is_seen_within_a_second(browser) {
		const { alice, bob } = await two(browser);

		await instance.sql(sendFromSql('from SQL'));
		await Promise.all([sees(alice, 'from SQL', SOON),
			sees(bob, 'from SQL', SOON)]);
		await instance.sql(`BEGIN; ${sendFromSql('rolled back')} ROLLBACK;`);
		await instance.sql(sendFromSql('committed after'));
		await sees(bob, 'committed after', SOON);
		assert.ok(!(await bob.locator('.bubble .text').allInnerTexts())
			.includes('rolled back'));
		noComplaints(alice, bob);
	},

	async a_killed_gateway_costs_nothing_written_or_typed(browser) {
		const { alice, bob } = await two(browser);
		const pid = await instance.kill('gateway');

		await say(alice, 'written while it was away');
		await alice.locator('#body').fill('half a thought');
		await waitFor('the gateway is back',
			() => instance.isBack('gateway', pid), { withinMs: 30000 });
		await sees(bob, 'written while it was away', { withinMs: 45000 });
		await sees(alice, 'written while it was away');
		await alice.locator('.is-pending').waitFor({ state: 'detached' });
		assert.equal(await alice.locator('.bubble .text')
			.getByText('written while it was away', { exact: true }).count(), 1);
		assert.equal(await alice.locator('#body').inputValue(), 'half a thought');
	},

	async the_page_is_served_under_its_policy() {
		const page = await fetch(instance.env.CHEMCHAT_URL);
		const policy = page.headers.get('content-security-policy');

		assert.match(policy, /default-src 'self'/u);
		assert.ok(!policy.includes('unsafe'));
		assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
	},
};
