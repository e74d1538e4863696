/*
 * page - the page alone, against a server in memory that misbehaves
 *
 * What the reader sees while sends hang, fail and connections break; that
 * nothing anybody writes becomes markup; that older messages come without
 * moving what is read.
 */

import assert from 'node:assert/strict';
import { DESKTOP, PHONE, openPage } from '../lib/browser.mjs';
import { world } from '../lib/small_world.mjs';
import { waitFor } from '../lib/wait.mjs';

/* While the page goes elsewhere there are none. */
const bubbles = (page) => page.locator('.bubble .text').allInnerTexts()
	.catch((error) => {
		if (!/because of a navigation/u.test(error.message))
			throw error;
		return [];
	});

const lastIs = (page, text) => waitFor(
	async () => `the last of ${await bubbles(page)} is ${text}`,
	async () => (await bubbles(page)).at(-1) === text);

const say = async (page, text) => {
	await page.locator('#body').fill(text);
	await page.keyboard.press('Enter');
};

export const tests = {
	async the_token_leaves_the_address_bar(browser) {
		const { server, link } = await world();
		const page = await openPage(browser, link);

		await page.locator('.conversation').first().waitFor();
		assert.ok(!page.url().includes('token'));
		await page.reload();
		await page.locator('.conversation').first().waitFor();
		return { server, page };
	},

	async without_a_token_it_asks_for_one(browser) {
		const { server, alice } = await world();
		const page = await openPage(browser, server.url);

		await page.getByText('Sign in with an access token').click();
		await page.locator('#token').fill(server.token(alice));
		await page.getByRole('button', { name: 'Use the token' }).click();
		await page.locator('.conversation').first().waitFor();
		return { server, page };
	},

	async a_refused_token_asks_again(browser) {
		const { server } = await world();
		const page = await openPage(browser,
			`${server.url}/#token=${server.token('nobody')}`);

		await page.locator('#sign-in').waitFor();
		assert.match(await page.locator('#sign-in-reason').innerText(), /ended/u);
		return { server, page };
	},

	async a_password_signs_in_and_signing_out_leaves_nothing(browser) {
		const { server, general, bob } = await world();
		const page = await openPage(browser, server.url);
		const signIn = async (password) => {
			await page.getByLabel('Handle').fill('Alice');
			await page.getByLabel('Password', { exact: true }).fill(password);
			await page.getByRole('button', { name: 'Sign in', exact: true }).click();
		};

		server.passwords.set('alice', 'correct horse');
		server.write(general, bob, 'a secret');
		await signIn('wrong');
		await page.getByText('do not belong together').waitFor();
		assert.equal(await page.getByLabel('Password', { exact: true })
			.inputValue(), '');
		await signIn('correct horse');
		await lastIs(page, 'a secret');
		await page.locator('#body').fill('half');
		/* changed, and signed in with the new one from then on */
		await page.locator('#me').click();
		await page.getByText('Change password').first().click();
		await page.getByLabel('Password now').fill('correct horse');
		await page.getByLabel('New password').fill('battery staple');
		await page.getByRole('button', { name: 'Change password' }).click();
		await page.getByText('Your other devices').waitFor();
		await page.getByRole('button', { name: 'Sign out' }).click();
		await page.locator('#handle').waitFor();
		assert.equal(server.signedOut.length, 1);
		const kept = await page.evaluate(async () => JSON.stringify([
			{ ...localStorage }, { ...sessionStorage },
			(await indexedDB.databases()).map(({ name }) => name)]));

		assert.equal(kept, '[{},{},[]]');
		await page.goBack().catch(() => {});
		assert.ok(!(await page.locator('body').innerText()).includes('secret'));
		/* a wrong password is an answer of 401, which the console calls an error */
		page.complaints = page.complaints.filter((line) => !/401/u.test(line));
		return { server, page };
	},

	async a_session_that_stays_is_there_in_the_next_tab(browser) {
		const { server } = await world();
		const page = await openPage(browser, server.url);

		server.passwords.set('alice', 'correct horse');
		await page.getByLabel('Handle').fill('alice');
		await page.getByLabel('Password', { exact: true }).fill('correct horse');
		await page.getByLabel('Stay signed in on this device').check();
		await page.getByRole('button', { name: 'Sign in', exact: true }).click();
		await page.locator('.conversation').waitFor();
		const next = await page.context().newPage();

		await next.goto(server.url);
		await next.locator('.conversation').waitFor();
		return { server, page };
	},

	async the_looks_are_chosen_and_kept(browser) {
		const { server, link } = await world();
		const page = await openPage(browser, link);
		const ground = () => page.evaluate(() =>
			getComputedStyle(document.body).backgroundColor);
		const light = await ground();

		await page.locator('#me').click();
		await page.getByText('Dark', { exact: true }).click();
		assert.notEqual(await ground(), light);
		await page.reload();
		await page.locator('.conversation').waitFor();
		assert.notEqual(await ground(), light);
		return { server, page };
	},

	async everything_in_the_list_of_shortcuts_works(browser) {
		const { server, alice, bob, general, link } = await world();

		server.addConversation('group', 'Lab', [alice, bob]);
		server.write(general, alice, 'mine', { agoMs: 60000 });
		server.write(general, bob, 'his', { agoMs: 30000 });
		const page = await openPage(browser, link);
		const focused = () => page.evaluate(() => document.activeElement.id ||
			document.activeElement.className);
		const title = async (text) => page.locator('#title',
			{ hasText: text }).waitFor();

		await title('General');
		await page.keyboard.press('Alt+ArrowDown');
		await title('Lab');
		await page.keyboard.press('Alt+ArrowUp');
		await title('General');
		await page.keyboard.press('Control+k');
		assert.equal(await focused(), 'filter');
		await page.keyboard.type('lab');
		await page.keyboard.press('Enter');
		await title('Lab');
		await page.keyboard.press('Alt+ArrowUp');
		await title('General');
		/* into the messages and about them */
		await page.locator('#body').focus();
		await page.keyboard.press('Escape');
		assert.match(await focused(), /message/u);
		await page.keyboard.press('r');
		await page.getByText('Replying to Bob').waitFor();
		await page.keyboard.press('Escape');
		await page.keyboard.press('Escape');
		await page.keyboard.press('ArrowUp');
		await page.keyboard.press('e');
		await page.getByText('Editing your message').waitFor();
		await page.keyboard.press('Escape');
		await page.keyboard.press('Escape');
		await page.keyboard.press('t');
		await page.locator('#pane .message').waitFor();
		await page.keyboard.press('Alt+d');
		await page.locator('#pane-title', { hasText: 'Details' }).waitFor();
		await page.keyboard.press('Escape');
		await page.locator('#pane').waitFor({ state: 'hidden' });
		await page.locator('.message').last().focus();
		await page.keyboard.press('?');
		await page.locator('.dialog .keys').first().waitFor();
		await page.keyboard.press('Escape');
		await page.locator('.dialog').waitFor({ state: 'detached' });
		await page.keyboard.press('ArrowUp');
		await page.keyboard.press('Delete');
		await page.getByRole('button', { name: 'Delete', exact: true }).click();
		await page.getByText('This message was deleted.').waitFor();
		await page.keyboard.press('Alt+m');
		await page.getByText('Nobody has mentioned you yet.').waitFor();
		await page.keyboard.press('Escape');
		await page.keyboard.press('Alt+n');
		await page.locator('.kinds').waitFor();
		return { server, page };
	},

	async nothing_written_becomes_markup(browser) {
		const { server, bob, general, link } = await world();
		const evil = '<img src=x onerror="document.title=\'owned\'">' +
			'<script>document.title="owned"</script>';

		server.write(general, bob, evil);
		const page = await openPage(browser, link);

		await lastIs(page, evil);
		assert.equal(await page.locator('.log img, .log script').count(), 0);
		assert.notEqual(await page.title(), 'owned');
		return { server, page };
	},

	async a_message_is_pending_until_it_is_acknowledged(browser) {
		const { server, link } = await world();
		const page = await openPage(browser, link);

		await page.locator('#body').waitFor();
		server.holdSends = true;
		await say(page, 'slow');
		await page.locator('.is-pending').waitFor();
		server.releaseSends();
		await page.locator('.is-sent').waitFor();
		assert.deepEqual(await bubbles(page), ['slow']);
		return { server, page };
	},

	async unsent_and_half_typed_survive_a_reload_and_an_outage(browser) {
		const { server, alice, general, link } = await world();
		const page = await openPage(browser, link);

		await page.locator('#body').waitFor();
		await page.evaluate(() => navigator.serviceWorker.ready);
		server.refuseConnections = true;
		server.dropAll();
		await say(page, 'first');
		await say(page, 'second');
		await page.locator('#body').fill('half a thou');
		await page.locator('.is-pending').nth(1).waitFor();
		await page.locator('.connection.is-shown').waitFor();
		/* the page itself comes without the server, too */
		await page.reload();
		await page.locator('.is-pending').nth(1).waitFor();
		server.refuseConnections = false;
		await waitFor('both arrived', () =>
			server.conversations.get(general).seq === 2);
		assert.deepEqual(server.conversations.get(general).log
			.filter((event) => event.kind === 'message')
			.map((event) => [event.sender, event.body]),
		[[alice, 'first'], [alice, 'second']]);
		await page.locator('.is-sent').nth(1).waitFor();
		assert.deepEqual(await bubbles(page), ['first', 'second']);
		assert.equal(await page.locator('#body').inputValue(), 'half a thou');
		await page.locator('.connection.is-shown')
			.waitFor({ state: 'detached' });
		return { server, page };
	},

	async a_refused_message_can_be_tried_again_or_dropped(browser) {
		const { server, link } = await world();
		const page = await openPage(browser, link);

		await page.locator('#body').waitFor();
		server.refuseSends = 'forbidden';
		await say(page, 'no');
		await page.getByText('You may not write here').waitFor();
		server.refuseSends = null;
		await page.getByRole('button', { name: 'Try again' }).click();
		await page.locator('.is-sent').waitFor();
		server.refuseSends = 'forbidden';
		await say(page, 'never');
		await page.getByRole('button', { name: 'Discard' }).click();
		await waitFor('it is gone', async () =>
			(await bubbles(page)).join() === 'no');
		return { server, page };
	},

	async enter_sends_and_shift_enter_breaks_the_line(browser) {
		const { server, link } = await world();
		const page = await openPage(browser, link);
		const body = page.locator('#body');

		await body.click();
		const low = (await body.boundingBox()).height;

		await page.keyboard.type('one');
		await page.keyboard.press('Shift+Enter');
		await page.keyboard.type('two');
		assert.ok((await body.boundingBox()).height > low);
		await page.keyboard.press('Enter');
		await lastIs(page, 'one\ntwo');
		assert.equal(await body.inputValue(), '');
		assert.equal((await body.boundingBox()).height, low);
		return { server, page };
	},

	async older_messages_come_without_moving_what_is_read(browser) {
		const { server, bob, general, link } = await world();

		for (let i = 1; i <= 180; i++)
			server.write(general, bob, `message ${i}`, { agoMs: (200 - i) * 60000 });
		const page = await openPage(browser, link);

		await lastIs(page, 'message 180');
		const scroll = page.locator('#scroll');
		const isAtBottom = () => scroll.evaluate((node) =>
			node.scrollHeight - node.scrollTop - node.clientHeight < 5);

		assert.ok(await isAtBottom());
		/* up until the first: what was in sight stays put */
		await scroll.hover();
		const first = page.getByText('message 1', { exact: true });

		for (let i = 0; i < 200 && !await first.count(); i++) {
			await page.mouse.wheel(0, -600);
			await page.waitForTimeout(30);
		}
		await first.waitFor();
		assert.ok(await page.locator('.message').count() < 120,
			'only what is in sight is in the page');
		await scroll.evaluate((node) => node.scrollTo(0, 900));
		await page.getByText('message 20', { exact: true }).waitFor();
		const where = () => page.getByText('message 20', { exact: true })
			.evaluate((node) => node.getBoundingClientRect().top);
		const before = await where();

		server.write(general, bob, 'new below');
		await page.locator('.jump.is-fresh').waitFor();
		assert.equal(await where(), before);
		await page.locator('#jump').click();
		await waitFor('at the bottom', isAtBottom);
		await page.locator('#jump').waitFor({ state: 'hidden' });
		return { server, page };
	},

	async what_is_unread_is_counted_until_it_is_opened(browser) {
		const { server, alice, bob, link } = await world();
		const lab = server.addConversation('group', 'Lab', [alice, bob]);
		const page = await openPage(browser, link);
		const lab_link = page.getByRole('link', { name: /Lab/u });

		await lab_link.waitFor();
		await page.getByRole('link', { name: /General/u }).click();
		server.write(lab, bob, 'one');
		server.write(lab, bob, 'two');
		await waitFor('2 unread', async () =>
			(await lab_link.locator('.badge').innerText()) === '2');
		assert.match(await page.title(), /^\(2\)/u);
		await lab_link.click();
		await page.locator('.badge:visible').waitFor({ state: 'detached' });
		await waitFor('no number in the title', async () =>
			(await page.title()) === 'ChemChat');
		await page.reload();
		await page.locator('.conversation').nth(1).waitFor();
		assert.equal(await page.locator('.badge:visible').count(), 0);
		return { server, page };
	},

	async a_phone_shows_one_thing_at_a_time(browser) {
		const { server, bob, general, link } = await world();

		server.write(general, bob, 'x'.repeat(400));
		const page = await openPage(browser, link, PHONE);

		await page.locator('.conversation').click();
		await page.locator('.bubble').waitFor();
		assert.ok(!await page.locator('.sidebar').isVisible());
		/* innerWidth is no measure: a phone zooms out until all fits. */
		assert.equal(await page.evaluate(() =>
			document.documentElement.scrollWidth), PHONE.viewport.width);
		await page.goBack();
		await page.locator('.conversation').waitFor();
		assert.ok(!await page.locator('.thread').isVisible());
		return { server, page };
	},

	async long_titles_and_words_stay_inside_a_phone(browser) {
		const { server, alice, bob, link } = await world();
		const long = server.addConversation('group',
			'<img src=x onerror="window.pwned=1"><script>pwned()</script>'
				.padEnd(100, '.'), [alice, bob]);

		for (let i = 0; i < 30; i++)
			server.write(long, alice, i === 29 ? 'w'.repeat(8000) : `row ${i}`);
		const page = await openPage(browser, link, PHONE);

		await page.locator('.conversation').first().click();
		await page.locator('.bubble').last().waitFor();
		/* innerWidth is no measure: a phone zooms out until all fits. */
		assert.equal(await page.evaluate(() =>
			document.documentElement.scrollWidth), PHONE.viewport.width);
		return { server, page };
	},

	async it_can_be_used_by_keyboard_alone(browser) {
		const { server, link } = await world();
		const page = await openPage(browser, link, DESKTOP);

		await page.locator('.conversation').waitFor();
		await page.locator('body').press('Tab');
		for (let i = 0; i < 8; i++) {
			if (await page.evaluate(() =>
				document.activeElement.matches('.conversation')))
				break;
			await page.keyboard.press('Tab');
		}
		await page.keyboard.press('Enter');
		await waitFor('the box has the focus', () =>
			page.evaluate(() => document.activeElement.id === 'body'));
		await page.keyboard.type('by keyboard');
		await page.keyboard.press('Enter');
		await lastIs(page, 'by keyboard');
		return { server, page };
	},
};
