/*
 * corners - what is rare: very long, very many, taken away in the middle of a
 * word, a clock that is hours off, two tabs of one person
 */

import assert from 'node:assert/strict';
import { DESKTOP, PHONE, openPage } from '../lib/browser.mjs';
import { kept, message, world } from '../lib/small_world.mjs';
import { waitFor } from '../lib/wait.mjs';

const HOUR = 3600000;

const conversation = (page, name) => page.getByRole('link', { name });

const height = async (locator) => (await locator.boundingBox()).height;

/* How far it stands below the upper edge of the messages. */
const placeOf = (locator) => locator.evaluate((node) =>
	node.getBoundingClientRect().top -
	document.getElementById('scroll').getBoundingClientRect().top);

/* A browser whose clock is off. */
async function openAt(browser, url, offMs, context = DESKTOP) {
	const opened = await browser.newContext(context);

	await opened.addInitScript((off) => {
		const { now } = Date;

		globalThis.Date = class extends Date {
			constructor(...given) {
				super(...given.length ? given : [now() + off]);
			}

			static now() {
				return now() + off;
			}
		};
	}, offMs);
	const page = await opened.newPage();

	page.complaints = [];
	page.on('pageerror', (error) => page.complaints.push(String(error)));
	await page.goto(url);
	return page;
}

export const tests = {
	async a_very_long_message_is_folded_and_opens_where_it_is_read(browser) {
		const { server, alice, bob, general, link } = await world();
		const words = Array.from({ length: 2700 }, (_, i) => `w${i}`);
		const lines = Array.from({ length: 200 }, (_, i) => `peak ${i}: 1.${i}`);

		server.write(general, alice, 'before', { agoMs: 90000 });
		server.write(general, bob, words.join(' '), { agoMs: 60000 });
		server.write(general, bob, lines.join('\n'), { agoMs: 50000 });
		server.write(general, bob, 'x'.repeat(16000), { agoMs: 40000 });
		server.write(general, alice, 'after', { agoMs: 30000 });
		const page = await openPage(browser, link, DESKTOP);
		const long = message(page, 'w0 w1');
		const more = long.getByRole('button', { name: 'Show more' });

		await more.waitFor();
		for (const text of ['w0 w1', 'peak 0', 'xxx'])
			assert.ok(await height(message(page, text).locator('.bubble')) < 420,
				text);
		assert.equal(await page.getByText('peak 13:').count(), 0);
		/* what comes out of it stands below what was read */
		await more.scrollIntoViewIfNeeded();
		await page.waitForTimeout(200);
		const before = await placeOf(long);

		await more.click();
		await page.getByText('w2699').waitFor();
		assert.ok(Math.abs(await placeOf(long) - before) < 2);
		/* another one comes: it stays as it is */
		server.write(general, bob, 'and another');
		await page.locator('.jump.is-fresh').waitFor();
		assert.ok(Math.abs(await placeOf(long) - before) < 2);
		/* by keyboard, and back: its beginning is in sight */
		const less = long.getByRole('button', { name: 'Show less' });

		assert.equal(await less.getAttribute('aria-expanded'), 'true');
		await less.focus();
		await page.keyboard.press('Enter');
		await more.waitFor();
		assert.ok(await height(long.locator('.bubble')) < 420);
		const place = await placeOf(long);

		assert.ok(place > -420 && place < 700, `at ${place}`);
		await waitFor('the focus is where it was', () => page.evaluate(() =>
			document.activeElement.className === 'more'));
		/* at the end, too, one goes on where the beginning ended */
		await page.locator('#jump').click();
		await page.locator('#jump').waitFor({ state: 'hidden' });
		server.write(general, bob, words.join('-'));
		const last = page.locator('#log .message').last();

		await last.getByRole('button', { name: 'Show more' }).click();
		await last.getByRole('button', { name: 'Show less' }).waitFor();
		assert.ok(await placeOf(last) > -100, `at ${await placeOf(last)}`);
		return { server, page };
	},

	async a_fold_is_opened_by_keyboard_alone(browser) {
		const { server, bob, general, link } = await world();

		server.write(general, bob, `${'word '.repeat(900)}the end`);
		const page = await openPage(browser, link, DESKTOP);

		await page.locator('.more').waitFor();
		await page.locator('#body').focus();
		await page.keyboard.press('Escape');	/* into the messages */
		await page.keyboard.press('Enter');
		await page.keyboard.press('Enter');
		await page.getByText('the end').waitFor();
		return { server, page };
	},

	async a_hundred_reactions_and_a_long_word_fit_a_phone(browser) {
		const { server, alice, bob, general, link } = await world();
		const people = Array.from({ length: 100 }, (_, i) =>
			server.addUser(`p${i}`, `Person ${i}`));
		const react = (seq, userId, emoji) => server.change(general, {
			kind: 'reaction', id: `${userId}/${seq}/${emoji}`, seq, userId,
			emoji, state: 'on', changedAt: new Date().toISOString() });

		server.write(general, bob, `${'ä'.repeat(900)} שלום `, { agoMs: 4000 });
		server.write(general, bob, 'everybody liked it', { agoMs: 3000 });
		people.forEach((userId) => react(2, userId, '👍'));
		server.write(general, alice, 'each in her own way', { agoMs: 2000 });
		people.forEach((userId, i) =>
			react(3, userId, String.fromCodePoint(0x1f400 + i)));
		const page = await openPage(browser, link, PHONE);

		await conversation(page, /General/u).tap();
		await page.getByRole('button', { name: /👍 100, by/u }).waitFor();
		assert.match(await page.getByRole('button', { name: /👍 100/u })
			.getAttribute('title'), / and 88 others$/u);
		assert.equal(await message(page, 'her own way').locator('.reaction')
			.count(), 100);
		assert.equal(await page.evaluate(() =>
			document.documentElement.scrollWidth), PHONE.viewport.width);
		return { server, page };
	},

	async a_thousand_members_are_all_there_and_quick(browser) {
		const { server, alice, bob } = await world();
		const people = Array.from({ length: 999 }, (_, i) =>
			server.addUser(`p${i}`, `Person ${i}`));
		const all = server.addConversation('channel', 'Everybody',
			[alice, ...people]);
		const page = await openPage(browser,
			`${server.url}/#token=${server.token(alice)}`, DESKTOP);

		await conversation(page, /Everybody/u).click();
		await page.locator('#subtitle', { hasText: '1000 members' }).waitFor();
		await page.evaluate(() => {
			window.longTasks = [];
			new PerformanceObserver((list) => window.longTasks.push(
				...list.getEntries().map(({ duration }) => duration)))
				.observe({ type: 'longtask' });
		});
		await page.locator('#open-details').click();
		await page.locator('.person').nth(999).waitFor({ state: 'attached' });
		await page.getByText('Person 998').scrollIntoViewIfNeeded();
		await page.evaluate(() => { window.opened = window.longTasks.splice(0); });
		/* what comes meanwhile is drawn beside them */
		for (let i = 0; i < 20; i++)
			server.write(all, people[i], `message ${i}`);
		await page.locator('#log .text', { hasText: 'message 19' }).waitFor();
		await page.waitForTimeout(200);
		const [opened, later] = await page.evaluate(() =>
			[Math.max(0, ...window.opened), Math.max(0, ...window.longTasks)]);

		console.log(`     opened in a task of ${Math.round(opened)} ms, ` +
			`afterwards ${Math.round(later)} ms`);
		assert.ok(opened < 1000, `${opened} ms`);
		assert.ok(later < 250, `${later} ms`);
		assert.ok(bob);
		return { server, page };
	},

	async who_is_removed_while_writing_writes_nowhere_else(browser) {
		const { server, alice, bob, general } = await world();
		const lab = server.addConversation('group', 'Lab', [bob, alice]);

		server.write(general, bob, 'older', { agoMs: HOUR });
		server.write(lab, bob, 'newer');
		const link = `${server.url}/#token=${server.token(alice)}`;

		for (const isChosen of [true, false]) {
			const page = await openPage(browser, link, DESKTOP);

			await page.locator('#title', { hasText: 'Lab' }).waitFor();
			if (isChosen)
				await conversation(page, /Lab/u).click();
			await page.locator('#body').focus();
			await page.keyboard.type('for the lab');
			server.conversations.get(lab).members.delete(alice);
			server.tell(alice, { type: 'removed', conversationId: lab });
			await page.getByText('You are no longer in “Lab”').waitFor();
			await page.keyboard.type(' only');
			await page.keyboard.press('Enter');
			await conversation(page, /Lab/u).waitFor({ state: 'detached' });
			assert.equal(server.conversations.get(general).seq, 1);
			assert.equal(await page.getByText('older').count(), 1,
				'in the list, and not open');
			/* nor when the connection comes back */
			server.dropAll();
			await page.waitForTimeout(1500);
			assert.ok(!await page.locator('#body').isVisible());
			await conversation(page, /General/u).click();
			await page.locator('#title', { hasText: 'General' }).waitFor();
			assert.equal(await page.locator('#body').inputValue(), '');
			assert.deepEqual(page.complaints, []);
			await page.context().close();
			server.conversations.get(lab).members.add(alice);
		}
		return { server };
	},

	async what_is_typed_outlives_an_archive_and_a_refused_edit(browser) {
		const { server, alice, general, link } = await world();

		server.write(general, alice, 'as it was');
		const page = await openPage(browser, link, DESKTOP);
		const at = server.conversations.get(general);
		const archive = (archivedAt) => {
			at.archivedAt = archivedAt;
			server.change(general, server.conversationEvent(at));
		};

		await page.locator('#body').fill('half a thought');
		archive(new Date().toISOString());
		await page.getByText('This conversation is archived.').waitFor();
		archive(null);
		await page.locator('#body').waitFor();
		assert.equal(await page.locator('#body').inputValue(), 'half a thought');
		/* an edit that the server will not have is not thrown away */
		await page.locator('.message').last().focus();
		await page.keyboard.press('e');
		await page.locator('#body').fill('as it should be');
		server.refuseVerbs = 'too_large';
		await page.keyboard.press('Enter');
		await page.getByText('Your edit was not saved. Too long.').waitFor();
		assert.equal(await page.locator('#body').inputValue(), 'half a thought');
		await page.getByRole('button', { name: 'Edit again' }).click();
		await page.getByText('Editing your message').waitFor();
		assert.equal(await page.locator('#body').inputValue(), 'as it should be');
		await page.keyboard.press('Escape');
		assert.equal(await page.locator('#body').inputValue(), 'half a thought');
		return { server, page };
	},

	async what_came_while_nobody_looked_is_marked_new(browser) {
		const { server, bob, general, link } = await world();

		server.write(general, bob, 'seen', { agoMs: 1000 });
		const page = await openPage(browser, link, DESKTOP);
		const look = (state) => page.evaluate((value) => {
			Object.defineProperty(document, 'visibilityState',
				{ configurable: true, get: () => value });
			document.dispatchEvent(new Event('visibilitychange'));
		}, state);

		await message(page, 'seen').waitFor();
		await waitFor('it was read', () => server.cursors.size === 1);
		await look('hidden');
		server.write(general, bob, 'first unseen');
		server.write(general, bob, 'second unseen');
		await message(page, 'second unseen').waitFor();
		await look('visible');
		await message(page, 'first unseen').locator('.fresh').waitFor();
		assert.equal(await page.locator('.fresh').count(), 1);
		return { server, page };
	},

	async a_thread_that_is_read_stays_where_it_is(browser) {
		const { server, alice, bob, general, link } = await world();
		const reply = (text) => server.write(general, bob, text, { replyTo: 1 });

		server.write(general, alice, 'the question');
		for (let i = 0; i < 30; i++)
			reply(`answer ${i}`);
		const page = await openPage(browser, link, DESKTOP);
		const pane = page.locator('#pane-body');
		const below = () => pane.evaluate((node) =>
			node.scrollHeight - node.scrollTop - node.clientHeight);

		await message(page, 'answer 29').focus();
		await page.keyboard.press('t');
		await pane.getByText('answer 29').waitFor();
		await waitFor('it opens at its end', async () => await below() < 5);
		await pane.evaluate((node) => node.scrollTo(0, 100));
		reply('one more');
		await pane.getByText('one more').waitFor({ state: 'attached' });
		assert.equal(await pane.evaluate((node) => node.scrollTop), 100);
		await page.getByLabel('Reply in the thread').fill('and mine');
		await page.getByLabel('Reply in the thread').press('Enter');
		await waitFor('what one says oneself is seen', async () =>
			await below() < 5);
		return { server, page };
	},

	async words_typed_in_several_places_come_back_from_an_outage(browser) {
		const { server, alice, bob, general, link } = await world();
		const names = ['General', 'Lab', 'Kinetics'];

		for (const name of names.slice(1))
			server.addConversation('group', name, [alice, bob]);
		const page = await openPage(browser, link, DESKTOP);
		const goTo = async (name) => {
			await conversation(page, new RegExp(name, 'u')).click();
			await page.locator('#title', { hasText: name }).waitFor();
		};

		await page.locator('.conversation').nth(2).waitFor();
		await page.evaluate(() => navigator.serviceWorker.ready);
		/* it writes down what it knows within a second */
		await waitFor('all three are kept', async () => await kept(page) === 3);
		server.refuseConnections = true;
		server.dropAll();
		for (const name of names) {
			await goTo(name);
			await page.locator('#body').fill(`said in ${name}`);
			await page.keyboard.press('Enter');
			await page.locator('#body').fill(`half in ${name}`);
		}
		server.write(general, bob, 'meanwhile');
		await page.reload();
		await page.locator('.conversation').nth(2).waitFor();
		server.refuseConnections = false;
		for (const name of names) {
			await goTo(name);
			await message(page, `said in ${name}`).waitFor();
			await page.locator('.is-sent.is-own').waitFor({ timeout: 60000 });
			assert.equal(await page.locator('#body').inputValue(),
				`half in ${name}`);
		}
		assert.deepEqual([...server.conversations.values()].map(({ log }) =>
			log.filter(({ kind, sender }) => kind === 'message' &&
			sender === alice).map(({ body }) => body)),
		names.map((name) => [`said in ${name}`]));
		return { server };
	},

	async two_tabs_of_one_person_are_of_one_mind(browser) {
		const { server, bob, general, link } = await world();
		const one = await openPage(browser, link, DESKTOP);
		const two = await one.context().newPage();

		await one.locator('#body').waitFor();
		await two.goto(link);
		await two.locator('#body').waitFor();
		await one.locator('#body').fill('typed in one');
		await two.locator('#body').fill('said in two');
		await two.locator('#body').press('Enter');
		await message(one, 'said in two').waitFor();
		assert.equal(await one.locator('#body').inputValue(), 'typed in one');
		server.write(general, bob, 'read in one of them');
		await message(one, 'read in one').waitFor();
		/* signing out leaves nothing, though the other has it open */
		await one.waitForTimeout(1200);
		await one.locator('#me').click();
		await one.getByRole('button', { name: 'Sign out' }).click();
		await one.locator('#handle').waitFor();
		await waitFor('nothing is left', async () => (await one.evaluate(
			async () => (await indexedDB.databases()).length)) === 0);
		/* and the other one goes on */
		server.write(general, bob, 'still here?');
		await message(two, 'still here?').waitFor();
		assert.deepEqual(one.complaints, []);
		return { server };
	},

	async an_end_of_the_sign_in_leaves_nothing_in_front(browser) {
		const { server, alice, link } = await world();
		const page = await openPage(browser, link, DESKTOP);

		await page.locator('#body').fill('not finished');
		await page.locator('#me').click();
		await page.getByLabel('Your name').waitFor();
		server.users.delete(alice);
		server.dropAll();
		await page.getByText('Your sign-in has ended').waitFor({ timeout: 20000 });
		await page.locator('.dialog').waitFor({ state: 'detached' });
		await page.getByLabel('Handle').fill('alice');
		await page.getByText('Sign in with an access token').click();
		/* the same person goes on where she was */
		server.users.set(alice, { kind: 'user', userId: alice, rev: 1,
			handle: 'alice', displayName: 'Alice' });
		await page.locator('#token').fill(server.token(alice));
		await page.getByRole('button', { name: 'Use the token' }).click();
		await waitFor('what was typed is there', async () =>
			(await page.locator('#body').inputValue()) === 'not finished');
		return { server, page };
	},

	async a_password_is_changed_however_one_came_in(browser) {
		const { server, link } = await world();
		const page = await openPage(browser, link, DESKTOP);
		const change = async (before, after) => {
			await page.getByLabel('Password now').fill(before);
			await page.getByLabel('New password').fill(after);
			await page.getByRole('button', { name: 'Change password' }).click();
		};

		server.passwords.set('alice', 'correct horse');
		await page.locator('#me').click();
		await page.getByText('Change password').first().click();
		await change('wrong horse', 'battery staple');
		await page.getByText('That is not the password.').waitFor();
		await change('correct horse', 'battery staple');
		await page.getByText('Your other devices').waitFor();
		assert.equal(server.passwords.get('alice'), 'battery staple');
		/* who judges is the server, which may know no passwords */
		server.hasPasswords = false;
		await change('battery staple', 'something else');
		await page.getByText('There are no passwords here.').waitFor();
		await page.reload();
		await page.locator('.conversation').waitFor();
		page.complaints = page.complaints.filter((line) =>
			!/status of 40[14]/u.test(line));
		return { server, page };
	},

	async an_invitation_told_of_early_is_asked_for_again(browser) {
		const { server, alice, bob, link } = await world();
		const page = await openPage(browser, link, DESKTOP);
		const id = server.addConversation('group', 'Chemists', [bob]);

		await waitFor('it was asked at first', () => server.invitationAsks > 0);
		const asks = server.invitationAsks;

		server.tell(alice, { type: 'invited', conversationId: id });
		await waitFor('it was asked then', () => server.invitationAsks > asks);
		server.invited.push({ conversationId: id, userId: alice, invitedBy: bob,
			invitedAt: new Date().toISOString() });
		await page.getByText('Bob invites you to Chemists').waitFor();
		return { server, page };
	},

	async a_clock_that_is_hours_off_changes_no_order(browser) {
		const { server, bob, general, link } = await world();

		for (const offMs of [-30 * HOUR, -5 * HOUR, 5 * HOUR, 30 * HOUR]) {
			const page = await openAt(browser, link, offMs);
			const mark = `${offMs / HOUR} h`;

			await page.locator('#body').waitFor();
			server.holdSends = true;
			await page.locator('#body').fill(`mine ${mark}`);
			await page.keyboard.press('Enter');
			server.write(general, bob, `his ${mark}`);
			await message(page, `his ${mark}`).waitFor();
			await message(page, `mine ${mark}`).waitFor();
			server.releaseSends();
			await message(page, `mine ${mark}`).locator('.ticks').waitFor();
			assert.deepEqual((await page.locator('#log .text').allInnerTexts())
				.slice(-2), [`his ${mark}`, `mine ${mark}`]);
			assert.deepEqual(page.complaints, []);
			await page.context().close();
		}
		return { server };
	},
};
