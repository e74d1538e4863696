/*
 * hands - by finger and by keyboard: what can be done is there, stands where
 * it belongs, and the focus is never lost; text runs the way its letters do
 */

import assert from 'node:assert/strict';
import { DESKTOP, PHONE, openPage } from '../lib/browser.mjs';
import { message, world } from '../lib/small_world.mjs';

const box = async (locator) => locator.boundingBox();

export const tests = {
	async a_tap_shows_what_can_be_done_and_another_hides_it(browser) {
		const { server, bob, general, link } = await world();

		for (const text of ['one', 'two', 'three'])
			server.write(general, bob, text);
		const page = await openPage(browser, link, PHONE);
		const shown = (text) => message(page, text).locator('.actions');
		const hidden = { state: 'detached' };

		await page.locator('.conversation').tap();
		await message(page, 'one').tap();
		await shown('one').waitFor();
		await message(page, 'three').tap();
		await shown('three').waitFor();
		await shown('one').waitFor(hidden);
		await message(page, 'three').tap();
		await shown('three').waitFor(hidden);
		/* a reply takes it away, and is one */
		await message(page, 'two').tap();
		await shown('two').getByRole('button', { name: 'Reply' }).tap();
		await page.getByText('Replying to Bob').waitFor();
		await shown('two').waitFor(hidden);
		await page.locator('#body').fill('indeed');
		await page.locator('#send').tap();
		await message(page, 'indeed').locator('.quote').waitFor();
		/* and so does a reaction */
		await message(page, 'three').tap();
		await shown('three').getByRole('button', { name: 'React 👍' }).tap();
		await message(page, 'three').locator('.reaction').waitFor();
		await shown('three').waitFor(hidden);
		return { server, page };
	},

	async a_link_to_what_one_is_not_in_leads_to_the_list(browser) {
		const { server, bob, link } = await world();
		const other = server.addConversation('group', 'Others', [bob]);
		const page = await openPage(browser, link, PHONE);

		await page.locator('.conversation').waitFor();
		await page.goto(`${server.url}/#c/${other}`);
		await page.reload();
		await page.locator('.conversation').waitFor();
		assert.equal(await page.getByText('Others').count(), 0);
		await page.locator('.conversation').tap();
		await page.locator('#title', { hasText: 'General' }).waitFor();
		return { server, page };
	},

	async menus_stand_by_their_message_and_give_the_focus_back(browser) {
		const { server, alice, bob, general, link } = await world();

		for (let i = 0; i < 12; i++)
			server.write(general, i % 2 ? alice : bob, `row ${i}`,
				{ agoMs: (20 - i) * 60000 });
		const page = await openPage(browser, link, DESKTOP);
		const row = message(page, 'row 11');
		const focused = (selector) => page.waitForFunction((wanted) =>
			document.activeElement.matches(wanted), selector);

		await row.focus();
		await page.keyboard.press('+');
		await page.locator('.emoji-picker').waitFor();
		const picker = await box(page.locator('.emoji-picker'));
		const at = await box(row.locator('.bubble'));

		assert.ok(Math.abs(picker.y + picker.height - at.y) < 120 &&
			picker.x + picker.width > at.x, JSON.stringify({ picker, at }));
		await page.keyboard.press('Escape');
		await focused('.message');
		await page.keyboard.press('ArrowLeft');	/* the last button: More */
		await focused('[aria-haspopup="menu"]');
		await page.keyboard.press('Enter');
		await focused('[role="menuitem"]');
		await page.keyboard.press('Escape');
		await focused('[aria-haspopup="menu"]');
		/* and when the message has changed meanwhile */
		await page.keyboard.press('Enter');
		await focused('[role="menuitem"]');
		server.change(general, { kind: 'reaction', id: 'r', seq: 12, userId: bob,
			emoji: '🧪', state: 'on', changedAt: new Date().toISOString() });
		await row.locator('.reaction').waitFor();
		await page.keyboard.press('Escape');
		await page.waitForFunction(() =>
			document.activeElement.closest('.message') !== null);
		return { server, page };
	},

	async text_runs_the_way_its_letters_do(browser) {
		const { server, bob, general, link } = await world();

		server.write(general, bob, 'שלום, מה שלומך?\nand one from the left?');
		const page = await openPage(browser, link, DESKTOP);
		/* the question mark at the left of the first line, the right of the next */
		await page.waitForFunction(() => {
			const node = document.querySelector('#log .text')?.firstChild;
			const cut = node?.data.indexOf('\n');
			const leftOf = (i) => {
				const range = document.createRange();

				range.setStart(node, i);
				range.setEnd(node, i + 1);
				return range.getBoundingClientRect().left;
			};

			return node && leftOf(cut - 1) < leftOf(0) &&
				leftOf(node.data.length - 1) > leftOf(cut + 1);
		}, null, { timeout: 5000 });
		return { server, page };
	},

	async what_is_read_stays_where_it_is_while_older_ones_come(browser) {
		const { server, bob, general, link } = await world();

		server.fill(general, bob, 3000, (i) => `message ${i} ${
			'and more words '.repeat(i % 9)}`);
		const page = await openPage(browser, link, DESKTOP);

		await page.locator('#log .text', { hasText: 'message 3000 ' }).waitFor();
		await page.locator('#scroll').evaluate((node) => node.scrollTo(0, 950));
		await page.waitForTimeout(300);
		/* near enough to the top for older ones to be asked for */
		const moved = await page.evaluate(() => new Promise((resolve) => {
			const scroll = document.getElementById('scroll');
			const height = scroll.scrollHeight;

			scroll.scrollTop = 500;
			const { top } = scroll.getBoundingClientRect();
			const row = [...document.querySelectorAll('#log .message')]
				.find((node) => node.getBoundingClientRect().top > top + 20);
			const where = () => document.querySelector(
				`#log .message[data-key="${row.dataset.key}"]`)
				?.getBoundingClientRect().top;
			const before = where();
			const look = () => scroll.scrollHeight > height + 1000
				? requestAnimationFrame(() => resolve(where() - before))
				: requestAnimationFrame(look);

			look();
		}));

		assert.ok(Math.abs(moved) < 2, `moved by ${moved} px`);
		/* all at once to the very top: it stays there, and asks for one page */
		await page.locator('#scroll').evaluate((node) => node.scrollTo(0, 0));
		await page.waitForTimeout(2000);
		const first = await page.locator('#log .message').first()
			.getAttribute('data-key');

		assert.ok(Number(first.split('/')[1]) > 2700, `it went on to ${first}`);
		return { server, page };
	},

	async what_is_not_wanted_is_counted_quietly(browser) {
		const { server, alice, bob, general, link } = await world();
		const lab = server.addConversation('group', 'Lab', [alice, bob]);

		server.preferences.set(`${alice}/${lab}`, { kind: 'preference',
			userId: alice, conversationId: lab, rev: 1, isMuted: false,
			notify: 'mentions' });
		server.write(general, bob, 'the newest', { agoMs: -60000 });
		server.write(lab, bob, 'nothing for you');
		const page = await openPage(browser, link, DESKTOP);
		const badge = page.getByRole('link', { name: /Lab/u }).locator('.badge');

		await badge.waitFor();
		assert.match(await badge.getAttribute('class'), /is-quiet/u);
		assert.equal(await page.title(), 'ChemChat');
		server.write(lab, bob, '@alice this one is');
		await page.waitForFunction(() => document.title === '(1) ChemChat');
		assert.doesNotMatch(await badge.getAttribute('class'), /is-quiet/u);
		return { server, page };
	},

	async a_server_that_cannot_save_is_no_secret(browser) {
		const { server, link } = await world();
		const page = await openPage(browser, link, DESKTOP);

		await page.locator('#body').waitFor();
		server.refuseSends = 'unavailable';
		await page.locator('#body').fill('patience');
		await page.keyboard.press('Enter');
		await page.getByText('The server cannot take it yet').waitFor();
		server.refuseSends = null;
		await page.locator('.message.is-sent').waitFor();
		assert.equal(await page.locator('.message').count(), 1);
		return { server, page };
	},

	async what_was_read_is_still_read_offline(browser) {
		const { server, alice, bob, general, link } = await world();

		server.write(general, alice, 'mine');
		server.cursors.set(`${bob}/${general}`, { kind: 'cursor', userId: bob,
			conversationId: general, readSeq: 1, deliveredSeq: 1, rev: 2 });
		const page = await openPage(browser, link, DESKTOP);

		await page.getByRole('img', { name: 'Read' }).waitFor();
		await page.evaluate(() => navigator.serviceWorker.ready);
		await page.waitForTimeout(1500);	/* it is written within a second */
		server.refuseConnections = true;
		server.dropAll();
		await page.reload();
		await page.getByRole('img', { name: 'Read' }).waitFor();
		return { server };
	},
};
