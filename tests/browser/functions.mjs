/*
 * functions - everything the page can do, with two people on the real thing
 *
 * One instance for all of them; each test has people and conversations of its
 * own.  What one page does is waited for on the other.
 */

import assert from 'node:assert/strict';
import { Instance } from '../lib/instance.mjs';
import { DESKTOP, PHONE, openPage } from '../lib/browser.mjs';
import { message } from '../lib/small_world.mjs';
import { waitFor } from '../lib/wait.mjs';

let instance = null;
let serial = 0;

export async function begin() {
	instance = new Instance({
		CHEMCHAT_GATEWAY_ARGS: '--local-accounts on' });
	await instance.start();
}

export async function end() {
	await instance.stop();
}

/* Alice, who owns the group, and Bob: a page each, on the group. */
async function two(browser, { kind = 'group', isAlone = false } = {}) {
	const n = ++serial;
	const people = {};

	for (const name of ['alice', 'bob']) {
		const handle = `${name}${n}`;
		const id = await instance.createUser(handle,
			name[0].toUpperCase() + name.slice(1));

		people[name] = { id, handle, token: await instance.token(id) };
	}
	const title = `Lab ${n}`;
	const id = await instance.createConversation(kind, title,
		isAlone ? [people.alice.id] : [people.alice.id, people.bob.id]);
	const alice = await open(browser, people.alice, DESKTOP);
	const bob = await open(browser, people.bob, isAlone ? DESKTOP
		: { ...PHONE, hasTouch: false, isMobile: false });

	await choose(alice, title);
	if (!isAlone)
		await choose(bob, title);
	return { alice, bob, id, title, people };
}

async function open(browser, { token }, context) {
	const page = await openPage(browser,
		`${instance.env.CHEMCHAT_URL}/#token=${token}`, context);

	await page.locator('#my-name').waitFor({ state: 'attached' });
	return page;
}

async function choose(page, title) {
	await page.getByRole('link', { name: new RegExp(title, 'u') }).click();
	await page.locator('#body').waitFor();
}

async function say(page, text) {
	await page.locator('#body').fill(text);
	await page.locator('#body').press('Enter');
}

async function act(page, text, name) {
	await message(page, text).hover();
	await page.locator('.is-active .actions')
		.getByRole('button', { name, exact: true }).click();
}

const menu = (page, name) => page.getByRole('menuitem', { name }).click();

async function fine(...pages) {
	assert.deepEqual(pages.flatMap((page) => page.complaints), []);
}

export const tests = {
	async an_edit_is_seen_and_its_earlier_text_can_be_read(browser) {
		const { alice, bob } = await two(browser);

		await say(alice, '78 %');
		await message(bob, '78 %').waitFor();
		await alice.locator('.is-sent').waitFor();
		await alice.locator('#body').press('ArrowUp');
		await alice.getByText('Editing your message').waitFor();
		await alice.locator('#body').fill('87 %');
		await alice.locator('#body').press('Enter');
		await message(bob, '87 %').waitFor();
		await bob.locator('.edited').waitFor();
		assert.equal(await message(bob, '78 %').count(), 0);
		await act(bob, '87 %', 'More');
		await menu(bob, 'Earlier versions');
		await bob.locator('.revisions').getByText('78 %').waitFor();
		/* an edit that is given up changes nothing */
		await alice.locator('#body').press('ArrowUp');
		await alice.locator('#body').fill('never');
		await alice.locator('#body').press('Escape');
		assert.equal(await alice.locator('#body').inputValue(), '');
		await message(alice, '87 %').waitFor();
		await fine(alice, bob);
	},

	async a_deleted_message_is_gone_everywhere(browser) {
		const { alice, bob } = await two(browser);

		await say(alice, 'the wrong window');
		await message(bob, 'the wrong window').waitFor();
		await alice.locator('.is-sent').waitFor();
		await act(alice, 'the wrong window', 'More');
		await menu(alice, 'Delete');
		await alice.getByRole('button', { name: 'Delete', exact: true }).click();
		await bob.getByText('This message was deleted.').waitFor();
		await bob.reload();
		await bob.getByText('This message was deleted.').waitFor();
		assert.ok(!(await bob.locator('body').innerText())
			.includes('the wrong window'));
		/* somebody else's: only who may */
		await say(alice, 'hers');
		await message(bob, 'hers').waitFor();
		await act(bob, 'hers', 'More');
		assert.equal(await bob.getByRole('menuitem', { name: 'Delete' }).count(), 0);
		await fine(alice, bob);
	},

	async reactions_come_and_go(browser) {
		const { alice, bob } = await two(browser);
		const thumb = (page, count) => page.getByRole('button',
			{ name: new RegExp(`👍 ${count}, by`, 'u') });

		await say(alice, 'It worked!');
		await message(bob, 'It worked!').waitFor();
		await act(bob, 'It worked!', 'React 👍');
		await thumb(alice, 1).waitFor();
		await thumb(alice, 1).click();
		await thumb(bob, 2).waitFor();
		await thumb(bob, 2).click();
		await thumb(alice, 1).waitFor();
		/* any of the choice, by keyboard */
		await message(alice, 'It worked!').focus();
		await alice.keyboard.press('+');
		await alice.locator('.emoji-picker').waitFor();
		await alice.keyboard.press('ArrowRight');
		await alice.keyboard.press('ArrowDown');
		const name = await alice.evaluate(() => document.activeElement.textContent);

		await alice.keyboard.press('Enter');
		await bob.locator('.reaction').filter({ hasText: name }).waitFor();
		await alice.reload();
		await thumb(alice, 1).waitFor();
		await fine(alice, bob);
	},

	async replies_stand_in_a_thread_and_quote_what_they_answer(browser) {
		const { alice, bob } = await two(browser);

		await say(alice, 'Who has the key?');
		await message(bob, 'Who has the key?').waitFor();
		await act(bob, 'Who has the key?', 'Reply');
		await bob.getByText('Replying to Alice').waitFor();
		await say(bob, 'I have.');
		await message(alice, 'I have.').locator('.quote').waitFor();
		assert.match(await message(alice, 'I have.').locator('.quote').innerText(),
			/Who has the key/u);
		await alice.getByRole('button', { name: '1 reply' }).click();
		await alice.locator('#pane .message').nth(1).waitFor();
		await alice.locator('#pane-body .text', { hasText: 'I have.' }).waitFor();
		await alice.getByLabel('Reply in the thread').fill('Thanks!');
		await alice.getByLabel('Reply in the thread').press('Enter');
		await message(bob, 'Thanks!').waitFor();
		await bob.getByRole('button', { name: '2 replies' }).waitFor();
		await alice.keyboard.press('Escape');
		await waitFor('the box of the thread has let the pane go', async () => {
			await alice.keyboard.press('Escape');
			return await alice.locator('#pane').isHidden();
		});
		await fine(alice, bob);
	},

	async a_mention_is_counted_and_can_be_gone_to(browser) {
		const { alice, bob, title, people } = await two(browser);

		await bob.goBack();
		await alice.locator('#body').click();
		await alice.keyboard.type('Ask @bo');
		await alice.getByRole('option', { name: /Bob/u }).waitFor();
		await alice.keyboard.press('Tab');
		await alice.keyboard.type('about the key');
		assert.equal(await alice.locator('#body').inputValue(),
			`Ask @${people.bob.handle} about the key`);
		await alice.keyboard.press('Enter');
		await bob.locator('.badge.is-mention').waitFor();
		assert.match(await bob.getByRole('link',
			{ name: new RegExp(title, 'u') }).innerText(), /you are mentioned/u);
		await bob.getByRole('button', { name: 'Mentions' }).click();
		await bob.locator('.dialog').getByText('about the key').click();
		await message(bob, 'about the key').waitFor();
		await bob.locator('.text .name.is-me').waitFor();
		await bob.goBack();
		await bob.locator('.badge:visible').waitFor({ state: 'detached' });
		await bob.reload();
		await bob.locator('.conversation').first().waitFor();
		await bob.locator('.badge:visible').waitFor({ state: 'detached' });
		await fine(alice, bob);
	},

	async the_sender_sees_what_was_delivered_and_read(browser) {
		const { alice, bob } = await two(browser);

		await bob.goBack();
		await say(alice, 'read me');
		await alice.getByRole('img', { name: 'Delivered' }).waitFor();
		await bob.locator('.conversation').first().click();
		await message(bob, 'read me').waitFor();
		await alice.getByRole('img', { name: 'Read' }).waitFor();
		await fine(alice, bob);
	},

	async a_conversation_of_two_begins_and_is_found_again(browser) {
		const { alice, bob, people } = await two(browser, { isAlone: true });
		const begin = async (page, handle) => {
			await page.locator('#new').click();
			await page.getByLabel('People', { exact: true }).fill(handle);
			await page.locator('.dialog .person', { hasText: handle })
				.getByRole('button').click();
			await page.getByRole('button', { name: 'Begin' }).click();
			await page.locator('#title').filter({ hasText: /Alice|Bob/u }).waitFor();
		};

		await begin(alice, people.bob.handle);
		await say(alice, 'Only us two.');
		await bob.getByRole('link', { name: /Alice/u }).click();
		await message(bob, 'Only us two.').waitFor();
		/* the other way round it is the same one */
		await begin(bob, people.alice.handle);
		await message(bob, 'Only us two.').waitFor();
		assert.equal(await bob.locator('.conversation').count(), 1);
		await fine(alice, bob);
	},

	async a_group_is_made_renamed_and_archived(browser) {
		const { alice, bob, people } = await two(browser, { isAlone: true });

		await alice.keyboard.press('Alt+n');
		await alice.locator('.dialog').getByText('Group', { exact: true }).click();
		await alice.getByLabel('Name', { exact: true }).fill('Kinetics');
		await alice.getByLabel('People', { exact: true }).fill(people.bob.handle);
		await alice.locator('.dialog .person').getByRole('button').first().click();
		await alice.getByRole('button', { name: 'Begin' }).click();
		await alice.locator('#title', { hasText: 'Kinetics' }).waitFor();
		await bob.getByRole('link', { name: /Kinetics/u }).click();
		await alice.keyboard.press('Alt+d');
		await alice.locator('#edit-title').fill('Kinetics II');
		await alice.locator('#edit-topic').fill('k = A·exp(−Ea/RT)');
		await alice.getByRole('button', { name: 'Save' }).click();
		await bob.locator('#title', { hasText: 'Kinetics II' }).waitFor();
		await bob.locator('#subtitle', { hasText: 'k = A' }).waitFor();
		await alice.getByRole('button', { name: 'Archive' }).click();
		await bob.getByText('This conversation is archived.').waitFor();
		assert.ok(await bob.locator('#body').isHidden());
		await alice.getByRole('button', { name: 'Bring back' }).click();
		await bob.locator('#body').waitFor();
		await fine(alice, bob);
	},

	async a_public_channel_is_found_and_joined(browser) {
		const { alice, bob } = await two(browser, { isAlone: true });
		const name = `Safety ${serial}`;

		await alice.locator('#new').click();
		await alice.locator('.dialog').getByText('Channel', { exact: true }).click();
		await alice.getByLabel('Name', { exact: true }).fill(name);
		await alice.getByLabel('Anybody may find and join it').check();
		await alice.getByRole('button', { name: 'Begin' }).click();
		await alice.locator('#title', { hasText: name }).waitFor();
		await say(alice, 'Goggles on.');
		await bob.getByRole('button', { name: 'Public channels' }).click();
		await bob.getByLabel('Find a channel').fill(name);
		await bob.locator('.person', { hasText: name })
			.getByRole('button', { name: 'Join' }).click();
		await message(bob, 'Goggles on.').waitFor();
		await say(bob, 'Gloves too.');
		await message(alice, 'Gloves too.').waitFor();
		await fine(alice, bob);
	},

	async an_invitation_is_taken_or_declined(browser) {
		const { alice, bob, title, people } = await two(browser, { isAlone: true });
		const invite = async () => {
			await alice.getByRole('button', { name: 'Invite', exact: true }).click();
			await alice.getByLabel('People', { exact: true })
				.fill(people.bob.handle);
			await alice.locator('.dialog .person', { hasText: people.bob.handle })
				.getByRole('button').click();
			await alice.locator('.dialog footer')
				.getByRole('button', { name: 'Invite' }).click();
			await bob.getByText(`Alice invites you to ${title}`).waitFor();
		};

		await say(alice, 'before he came');
		await alice.keyboard.press('Alt+d');
		await invite();
		assert.equal(await bob.locator('.conversation').count(), 0);
		await bob.getByRole('button', { name: 'Decline' }).click();
		await bob.locator('.invitation').waitFor({ state: 'detached' });
		await invite();
		await bob.getByRole('button', { name: 'Join' }).click();
		await bob.locator('#title', { hasText: title }).waitFor();
		await say(bob, 'Here I am.');
		await message(alice, 'Here I am.').waitFor();
		await fine(alice, bob);
	},

	async roles_are_given_and_members_removed(browser) {
		const { alice, bob, title } = await two(browser);

		await alice.keyboard.press('Alt+d');
		await alice.getByLabel('Role of Bob').selectOption('admin');
		await bob.locator('#open-details').click();
		await bob.locator('#edit-title').waitFor();
		await alice.getByRole('button', { name: 'Remove Bob' }).click();
		await alice.locator('.dialog').getByRole('button', { name: 'Remove' })
			.click();
		await bob.getByRole('link', { name: new RegExp(title, 'u') })
			.waitFor({ state: 'detached' });
		await bob.getByText(`You are no longer in “${title}”.`).waitFor();
		assert.ok(!(await bob.locator('#app').innerText()).includes(title));
		await fine(alice, bob);
	},

	async the_last_owner_cannot_leave_the_others_alone(browser) {
		const { alice, bob, title } = await two(browser);

		await alice.keyboard.press('Alt+d');
		await alice.getByRole('button', { name: 'Leave' }).click();
		await alice.locator('.dialog').getByRole('button', { name: 'Leave' })
			.click();
		await alice.getByText('Name another owner first').waitFor();
		await alice.getByLabel('Role of Bob').selectOption('owner');
		await alice.locator('.person', { hasText: 'Bob' })
			.locator('select').waitFor();
		await waitFor('Bob is owner', async () =>
			await alice.getByLabel('Role of Bob').inputValue() === 'owner');
		await alice.getByRole('button', { name: 'Leave' }).click();
		await alice.locator('.dialog').getByRole('button', { name: 'Leave' })
			.click();
		await alice.getByRole('link', { name: new RegExp(title, 'u') })
			.waitFor({ state: 'detached' });
		await say(bob, 'alone');
		await bob.locator('.is-sent').waitFor();
		await fine(alice, bob);
	},

	async what_is_muted_is_quiet_on_every_device(browser) {
		const { alice, bob, title, people } = await two(browser);
		const second = await open(browser, people.bob, DESKTOP);

		await bob.locator('#open-details').click();
		await bob.getByLabel('Mute').selectOption('on');
		await second.locator('.silent:visible').waitFor();
		await bob.getByLabel('Notify me of').selectOption('mentions');
		await bob.getByRole('button', { name: 'Close' }).click();
		await bob.goBack();
		await second.locator('#new').focus();
		await say(alice, 'psst');
		await bob.getByRole('link', { name: new RegExp(title, 'u') })
			.locator('.badge').waitFor();
		assert.equal(await bob.title(), 'ChemChat');
		await bob.reload();
		await bob.locator('.silent:visible').waitFor();
		await fine(alice, bob, second);
	},

	async the_blocked_cannot_write_and_is_not_told(browser) {
		const { alice, bob, people } = await two(browser, { isAlone: true });

		await instance.createConversation('direct', null,
			[people.alice.id, people.bob.id]);
		await alice.getByRole('link', { name: /Bob/u }).click();
		await bob.getByRole('link', { name: /Alice/u }).click();
		await say(bob, 'hey');
		await message(alice, 'hey').waitFor();
		await alice.keyboard.press('Alt+d');
		await alice.getByRole('button', { name: 'Block', exact: true }).click();
		await alice.locator('.dialog').getByRole('button', { name: 'Block' })
			.click();
		await alice.getByText('You have blocked this person.').waitFor();
		await say(bob, 'hey!');
		await bob.getByText('You may not write here').waitFor();
		await alice.locator('#me').click();
		await alice.getByRole('button', { name: 'Unblock' }).last().click();
		await alice.locator('.dialog').getByRole('button', { name: 'Close' })
			.click();
		await bob.getByRole('button', { name: 'Try again' }).click();
		await message(alice, 'hey!').waitFor();
		await fine(alice, bob);
	},

	async a_new_name_is_seen_by_the_others(browser) {
		const { alice, bob } = await two(browser);

		await say(alice, 'me');
		await message(bob, 'me').waitFor();
		await alice.locator('#me').click();
		await alice.getByLabel('Your name').fill('Dr Alice');
		await alice.locator('.dialog').getByRole('button', { name: 'Save' })
			.first().click();
		await bob.locator('.sender', { hasText: 'Dr Alice' }).waitFor();
		await fine(alice, bob);
	},

	async a_new_password_ends_the_other_sessions(browser) {
		const handle = `carol${++serial}`;

		await instance.createUser(handle, 'Carol');
		await instance.setPassword(handle, 'correct horse');
		const signIn = async (password) => {
			const page = await openPage(browser, instance.env.CHEMCHAT_URL);

			await page.getByLabel('Handle').fill(handle);
			await page.getByLabel('Password', { exact: true }).fill(password);
			await page.getByRole('button', { name: 'Sign in', exact: true })
				.click();
			return page;
		};
		const here = await signIn('correct horse');
		const there = await signIn('correct horse');
		const online = (page) => page.getByText('You are in no conversation')
			.waitFor();

		await online(here);
		await online(there);
		await here.locator('#me').click();
		await here.getByText('Change password').first().click();
		await here.getByLabel('Password now').fill('correct horse');
		await here.getByLabel('New password').fill('battery staple');
		await here.getByRole('button', { name: 'Change password' }).click();
		await here.getByText('Your other devices').waitFor();
		await there.getByText('Your sign-in has ended').waitFor();
		const wrong = await signIn('correct horse');

		await wrong.getByText('do not belong together').waitFor();
		await online(await signIn('battery staple'));
		/* and this one goes on, over a reload too */
		await here.reload();
		await online(here);
		await fine(here);
	},

	async it_opens_with_what_it_knew_and_catches_up(browser) {
		const { alice, bob, title, id, people } = await two(browser);

		await say(alice, 'one');
		await message(bob, 'one').waitFor();
		await bob.evaluate(() => navigator.serviceWorker.ready);
		/* what is known is written within a second, or when it is hidden */
		await bob.waitForTimeout(1500);
		await instance.stopService('gateway');
		await bob.reload();
		await message(bob, 'one').waitFor();
		await bob.locator('#body').fill('written in the dark');
		await bob.keyboard.press('Enter');
		await bob.locator('.is-pending').waitFor();
		await instance.sql(`SELECT FROM chemchat.send_message('${
			people.alice.id}', '${id}', gen_random_uuid(), 'meanwhile');`);
		await instance.startService('gateway');
		await message(bob, 'meanwhile').waitFor({ timeout: 45000 });
		await message(alice, 'written in the dark').waitFor({ timeout: 45000 });
		const texts = await bob.locator('#log .bubble .text').allInnerTexts();

		assert.deepEqual(texts.filter((text) => text !== 'written in the dark'),
			['one', 'meanwhile']);
		assert.ok(title);
	},
};
