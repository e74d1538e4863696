/*
 * axe - the page in every state it has, by axe-core, and as pictures
 *
 * Light and dark, phone and desktop.  The pictures go to build/test/browser
 * and are there to be looked at; a violation of any rule fails.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createRequire } from 'node:module';
import { MockServer } from '../lib/mock_server.mjs';
import { ROOT } from '../lib/instance.mjs';
import { DESKTOP, PHONE, openPage } from '../lib/browser.mjs';

const PICTURES = path.join(ROOT, 'build/test/browser');
const MINUTE = 60000;
const DAY = 24 * 60 * MINUTE;
const AXE = await readFile(createRequire(import.meta.url)
	.resolve('axe-core/axe.min.js'), 'utf8');

const DEVICES = { desktop: { ...DESKTOP, bypassCSP: true },
	phone: { ...PHONE, bypassCSP: true } };

/* A laboratory in the middle of its day. */
export async function laboratory() {
	const server = new MockServer();

	await server.listen();
	const alice = server.addUser('alice', 'Alice Grünwald');
	const bob = server.addUser('bob', 'Bob Okafor');
	const mia = server.addUser('mia', 'Mia Tanaka');
	const suzuki = server.addConversation('group', 'Suzuki coupling',
		[alice, bob, mia], { topic: 'Batches 12 to 20, and who runs what' });
	const direct = server.addConversation('direct', null, [alice, mia]);
	const nmr = server.addConversation('channel', 'NMR bookings',
		[bob, alice, mia], { isPublic: true });
	const safety = server.addConversation('channel', 'Safety', [mia, bob],
		{ isPublic: true, topic: 'What everybody has to know' });
	const group = server.addConversation('group', 'Kinetics', [bob, mia]);
	const say = (id, sender, agoMs, body, more = {}) =>
		server.write(id, sender, body, { agoMs, ...more });

	say(suzuki, bob, DAY + 90 * MINUTE, 'The column for batch 14 is packed and equilibrated.');
	say(suzuki, mia, DAY + 88 * MINUTE, 'Crude is in the −20 freezer, second shelf, label “14‑B”.');
	say(suzuki, alice, DAY + 80 * MINUTE, 'I will run it after the group meeting. 5 → 40 % EtOAc?', { replyTo: 1 });
	say(suzuki, bob, DAY + 79 * MINUTE, 'Start at 10, the impurity runs with the front anyway.', { replyTo: 1 });
	say(suzuki, alice, 42 * MINUTE, 'Fractions 11–17 are clean. On the rotavap now, NMR at three.');
	say(suzuki, alice, 41 * MINUTE, 'Yield looks like 78 %.');
	say(suzuki, mia, 38 * MINUTE, 'That is 20 more than with the old ligand, @alice! Spectra: https://eln.example.org/14-B');
	say(suzuki, bob, 3 * MINUTE, 'Lovely. Could you put the mass balance into the notebook before we order more of the boronic ester?');
	say(suzuki, alice, MINUTE, 'On it. It goes in tonight.');
	say(direct, mia, 12 * MINUTE, 'Coffee at four?');
	say(nmr, bob, 2 * DAY, '600 MHz is free on Thursday from 14:00, @all');
	const react = (seq, userId, emoji) => server.change(suzuki, {
		kind: 'reaction', id: `${userId}/${seq}/${emoji}`, seq, userId, emoji,
		state: 'on', changedAt: new Date().toISOString() });

	react(6, bob, '🎉');
	react(6, mia, '🎉');
	react(6, mia, '🧪');
	react(7, alice, '👍');
	server.cursors.set(`${bob}/${suzuki}`, { kind: 'cursor', userId: bob,
		conversationId: suzuki, readSeq: 9, deliveredSeq: 9, rev: 18 });
	server.cursors.set(`${mia}/${suzuki}`, { kind: 'cursor', userId: mia,
		conversationId: suzuki, readSeq: 6, deliveredSeq: 9, rev: 15 });
	server.invited.push({ conversationId: group, userId: alice,
		invitedBy: bob, invitedAt: new Date().toISOString() });
	server.passwords.set('alice', 'correct horse');
	return { server, alice, bob, mia, suzuki, direct, nmr, safety,
		link: `${server.url}/#token=${server.token(alice)}` };
}

const STATES = {
	async list(page, { isPhone }) {
		if (isPhone)
			await page.goBack();
		await page.locator('.conversation').nth(2).waitFor();
		await page.getByText('invites you').waitFor();
	},
	async conversation(page) {
		await page.locator('.message').nth(5).waitFor();
		await page.locator('.reaction').first().waitFor();
	},
	async message_in_hand(page) {
		await page.locator('.message').nth(6).focus();
		await page.locator('.actions').waitFor();
	},
	async reaction_picker(page) {
		await page.locator('.message').nth(6).focus();
		await page.keyboard.press('+');
		await page.locator('.emoji-picker').waitFor();
	},
	async message_menu(page) {
		await page.locator('.message').last().focus();
		await page.getByRole('button', { name: 'More' }).click();
		await page.locator('.menu').waitFor();
	},
	async replying(page) {
		await page.locator('.message').nth(7).focus();
		await page.keyboard.press('r');
		await page.keyboard.type('Ask @');
		await page.getByRole('option').first().waitFor();
	},
	async thread(page) {
		await page.locator('.message').first().focus();
		await page.keyboard.press('t');
		await page.locator('#pane .message').nth(2).waitFor();
	},
	async details(page) {
		await page.locator('#open-details').click();
		await page.locator('.person').nth(2).waitFor();
	},
	async new_group(page, { isPhone }) {
		if (isPhone)
			await page.goBack();
		await page.locator('#new').click();
		await page.locator('.dialog').getByText('Group', { exact: true }).click();
		await page.locator('.dialog .person').first().getByRole('button').click();
		await page.locator('.chips li').waitFor();
	},
	async channels(page, { isPhone }) {
		if (isPhone)
			await page.goBack();
		await page.getByRole('button', { name: 'Public channels' }).click();
		await page.locator('.dialog .person').nth(1).waitFor();
	},
	async mentions(page, { isPhone }) {
		if (isPhone)
			await page.goBack();
		await page.getByRole('button', { name: 'Mentions' }).click();
		await page.locator('.dialog .person').nth(1).waitFor();
	},
	async settings(page, { isPhone }) {
		if (isPhone)
			await page.goBack();
		await page.locator('#me').click();
		await page.getByLabel('Your name').waitFor();
	},
	async shortcuts(page) {
		await page.locator('.message').first().focus();
		await page.keyboard.press('?');
		await page.locator('.keys').first().waitFor();
	},
	async deleting(page) {
		await page.locator('.message').last().focus();
		await page.keyboard.press('Delete');
		await page.getByText('Delete this message?').waitFor();
	},
	async earlier_versions(page) {
		await page.locator('.message').last().focus();
		await page.keyboard.press('e');
		await page.locator('#body').fill('On it. It goes in tonight, promised.');
		await page.keyboard.press('Enter');
		await page.locator('.edited').waitFor();
		const last = page.locator('.message').last();

		/* where the pointer rests, which a list that moves is told of */
		await last.hover();
		await last.getByRole('button', { name: 'More' }).click();
		await page.getByRole('menuitem', { name: 'Earlier' }).click();
		await page.locator('.revisions li').waitFor();
	},
	async adding_people(page) {
		await page.locator('#open-details').click();
		await page.getByRole('button', { name: 'Invite' }).click();
		await page.locator('#find-people').fill('nobody at all');
		await page.getByText('Nobody found.').waitFor();
	},
	async blocked(page, { isPhone }) {
		if (isPhone)
			await page.goBack();
		await page.getByRole('link', { name: /Mia/u }).click();
		await page.locator('#open-details').click();
		await page.getByRole('button', { name: 'Block', exact: true }).click();
		await page.locator('.dialog').getByRole('button', { name: 'Block' })
			.click();
		await page.getByRole('button', { name: 'Unblock' }).waitFor();
		await page.locator('#me').evaluate((node) => node.blur());
	},
	async changing_the_password(page, { isPhone }) {
		if (isPhone)
			await page.goBack();
		await page.locator('#me').click();
		await page.getByText('Change password').first().click();
		await page.getByLabel('Password now').waitFor();
	},
	async being_told(page, { world }) {
		world.server.refuseVerbs = 'forbidden';
		await page.locator('.message').last().focus();
		await page.getByRole('button', { name: 'React 👍' }).click();
		await page.locator('.told.is-shown').waitFor();
	},
	async failed_and_pending(page, { world }) {
		world.server.refuseSends = 'forbidden';
		await page.locator('#body').fill('refused');
		await page.keyboard.press('Enter');
		await page.locator('.is-failed').waitFor();
		world.server.refuseSends = null;
		world.server.holdSends = true;
		await page.locator('#body').fill('on its way');
		await page.keyboard.press('Enter');
		await page.locator('.is-pending').waitFor();
	},
	async offline(page, { world }) {
		/* what is still being fetched would be a complaint of its own */
		await page.evaluate(() => navigator.serviceWorker.ready);
		world.server.refuseConnections = true;
		world.server.dropAll();
		await page.locator('.connection.is-shown').waitFor();
	},
	async archived(page, { world }) {
		world.server.conversations.get(world.suzuki).archivedAt =
			new Date().toISOString();
		world.server.change(world.suzuki, world.server.conversationEvent(
			world.server.conversations.get(world.suzuki)));
		await page.getByText('This conversation is archived.').waitFor();
	},
};

async function violations(page) {
	await page.evaluate(AXE);
	const found = await page.evaluate(() => window.axe.run(document,
		{ resultTypes: ['violations'] }));

	return found.violations.flatMap(({ id, help, nodes }) => nodes.map((node) =>
		`${id}: ${help}: ${node.html.slice(0, 160)} ${
			node.any.concat(node.all, node.none)
				.map(({ message }) => message).join('; ').slice(0, 200)}`));
}

async function look(browser, device, colorScheme, state, prepare) {
	const world = await laboratory();

	try {
		const page = await openPage(browser, state === 'sign_in'
			? world.server.url : world.link, { ...DEVICES[device], colorScheme });
		const isPhone = device === 'phone';

		if (state === 'sign_in')
			await page.locator('#handle').waitFor();
		else {
			await page.getByRole('link', { name: /Suzuki/u }).click();
			await page.locator('.message').nth(5).waitFor();
			await prepare(page, { isPhone, world });
		}
		await page.waitForTimeout(250);
		await page.screenshot({ path: path.join(PICTURES,
			`${state}-${device}-${colorScheme}.png`) });
		const found = await violations(page);

		assert.deepEqual(page.complaints, []);
		await page.context().close();
		return found.map((words) => `${state}, ${device}, ${colorScheme}: ${words}`);
	} finally {
		world.server.close();
	}
}

function each(device, colorScheme) {
	return async (browser) => {
		const found = [];

		for (const [state, prepare] of [['sign_in'], ...Object.entries(STATES)])
			found.push(...await look(browser, device, colorScheme, state, prepare));
		assert.deepEqual(found, []);
	};
}

export const tests = {
	axe_finds_nothing_on_a_desktop_in_light: each('desktop', 'light'),
	axe_finds_nothing_on_a_desktop_in_the_dark: each('desktop', 'dark'),
	axe_finds_nothing_on_a_phone_in_light: each('phone', 'light'),
	axe_finds_nothing_on_a_phone_in_the_dark: each('phone', 'dark'),
};
