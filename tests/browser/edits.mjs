/*
 * edits - another text of a message, entered or half typed while the server is
 * away: none is lost, none is made twice, and none takes the place of what
 * another device wrote meanwhile without being asked
 */

import assert from 'node:assert/strict';
import { DESKTOP, openPage } from '../lib/browser.mjs';
import { kept, message, world } from '../lib/small_world.mjs';
import { waitFor } from '../lib/wait.mjs';

const box = (page) => page.locator('#body');

/* Alice's page, which would open without the server. */
async function opened(browser, made) {
	const page = await openPage(browser, made.link, DESKTOP);

	await box(page).waitFor();
	await message(page, 'as it was').last().waitFor();
	await page.evaluate(() => navigator.serviceWorker.ready);
	await waitFor('it is kept', async () => await kept(page) > 0);
	return page;
}

function goAway({ server }) {
	server.refuseConnections = true;
	server.dropAll();
}

function comeBack({ server }, page) {
	server.refuseConnections = false;
	return page.evaluate(() => dispatchEvent(new Event('online')));
}

const isConnected = (page) => page.locator('.connection.is-shown')
	.waitFor({ state: 'detached' });

async function edit(page, text, body) {
	await message(page, text).focus();
	await page.keyboard.press('e');
	await page.getByText('Editing your message').waitFor();
	await box(page).fill(body);
}

async function enter(page, text, body) {
	await edit(page, text, body);
	await page.keyboard.press('Enter');
	await page.getByText('Editing your message').waitFor({ state: 'hidden' });
}

/* The message as it now is on the server; `past`: what it was. */
const onServer = ({ server, general }, seq = 1) => server.conversations
	.get(general).log.findLast((event) => event.kind === 'message' &&
		event.seq === seq);

const saved = (made, body, seq) => waitFor(
	() => `${JSON.stringify(onServer(made, seq))} says “${body}”`,
	() => onServer(made, seq).body === body);

/* As from the same person's other device. */
const editElsewhere = (made, body) => made.server.change(made.general,
	{ ...onServer(made), body, editedAt: new Date().toISOString() });

const nothingKept = (page) => waitFor('no edit is kept', () => page.evaluate(
	() => ![...Object.keys(localStorage), ...Object.keys(sessionStorage)]
		.some((key) => key.includes('edit'))));

export const tests = {
	async an_edit_made_offline_survives_a_reload(browser) {
		const made = await world();
		const { server, alice, general } = made;

		server.write(general, alice, 'as it was');
		server.write(general, alice, 'another');
		const page = await opened(browser, made);

		goAway(made);
		await enter(page, 'as it was', 'as it should be');
		await enter(page, 'another', 'another one');
		await page.reload();
		await page.getByText('Your edit waits for the connection').nth(1)
			.waitFor();
		await comeBack(made, page);
		await message(page, 'as it should be').waitFor();
		await message(page, 'another one').waitFor();
		await nothingKept(page);
		assert.equal(await page.getByText('Your edit').count(), 0);
		assert.deepEqual([1, 2].map((seq) => onServer(made, seq).past
			.map(({ body }) => body)), [['as it was'], ['another']]);
		return { server };
	},

	async an_edit_outlives_the_closing_of_its_page(browser) {
		const made = await world();
		const { server, alice, general, link } = made;

		server.write(general, alice, 'as it was');
		const page = await opened(browser, made);

		goAway(made);
		await enter(page, 'as it was', 'once');
		await enter(page, 'as it was', 'twice');
		const next = await page.context().newPage();

		await page.close();
		await next.goto(link);
		await next.getByText('Your edit waits for the connection').waitFor();
		await comeBack(made, next);
		await message(next, 'twice').waitFor();
		await nothingKept(next);
		assert.equal(onServer(made).past.length, 1);
		return { server };
	},

	async edits_while_the_database_is_away_are_made_once(browser) {
		const made = await world();
		const { server, alice, general } = made;

		server.write(general, alice, 'as it was');
		const page = await opened(browser, made);

		server.refuseVerbs = 'unavailable';
		await enter(page, 'as it was', 'first');
		await edit(page, 'as it was', 'second');
		await page.keyboard.press('Enter');
		server.refuseVerbs = null;
		await saved(made, 'second');
		await message(page, 'second').waitFor();
		await nothingKept(page);
		assert.equal(await page.getByText('was not saved').count(), 0);
		assert.deepEqual(onServer(made).past.map(({ body }) => body),
			['as it was', 'first']);
		return { server, page };
	},

	async an_edit_overtaken_by_another_device_is_said_and_not_forced(browser) {
		const made = await world();
		const { server, alice, general } = made;

		server.write(general, alice, 'as it was');
		const page = await opened(browser, made);

		goAway(made);
		await enter(page, 'as it was', 'mine');
		await page.reload();
		await page.getByText('Your edit waits').waitFor();
		editElsewhere(made, 'theirs');
		await comeBack(made, page);
		const refused = page.getByText(
			'Your edit was not saved. It was edited elsewhere meanwhile.');

		await refused.waitFor();
		await message(page, 'theirs').waitFor();
		assert.equal(onServer(made).body, 'theirs');
		/* it is there in the next life too, and goes nowhere by itself */
		await page.reload();
		await refused.waitFor();
		await isConnected(page);
		assert.equal(onServer(made).body, 'theirs');
		/* who has seen the other text may put hers over it */
		await page.getByRole('button', { name: 'Edit again' }).click();
		assert.equal(await box(page).inputValue(), 'mine');
		await page.keyboard.press('Enter');
		await saved(made, 'mine');
		await refused.waitFor({ state: 'detached' });
		await nothingKept(page);
		/* overtaken while it was typed: given up this time */
		await edit(page, 'mine', 'mine again');
		editElsewhere(made, 'theirs again');
		await message(page, 'theirs again').waitFor();
		await page.keyboard.press('Enter');
		await refused.waitFor();
		await page.getByRole('button', { name: 'Discard' }).click();
		await refused.waitFor({ state: 'detached' });
		assert.equal(onServer(made).body, 'theirs again');
		await nothingKept(page);
		return { server, page };
	},

	async a_half_typed_edit_survives_a_reload_and_another_place(browser) {
		const made = await world();
		const { server, alice, bob, general } = made;

		server.addConversation('group', 'Lab', [alice, bob]);
		server.write(general, alice, 'as it was');
		const page = await opened(browser, made);
		const goTo = async (name) => {
			await page.getByRole('link', { name: new RegExp(name, 'u') })
				.click();
			await page.locator('#title', { hasText: name }).waitFor();
		};
		const isEditing = async () => {
			await page.getByText('Editing your message').waitFor();
			assert.equal(await box(page).inputValue(), 'half an ed');
		};

		await goTo('General');
		await box(page).fill('half a message');
		await edit(page, 'as it was', 'half an ed');
		await page.reload();
		await isEditing();
		await goTo('Lab');
		assert.equal(await box(page).inputValue(), '');
		await goTo('General');
		await isEditing();
		await box(page).fill('a whole edit');
		await page.keyboard.press('Enter');
		await saved(made, 'a whole edit');
		assert.equal(await box(page).inputValue(), 'half a message');
		await page.reload();
		await message(page, 'a whole edit').waitFor();
		assert.equal(await box(page).inputValue(), 'half a message');
		assert.ok(!await page.getByText('Editing your message').isVisible());
		/* given up, it does not come back */
		await edit(page, 'a whole edit', 'never');
		await page.keyboard.press('Escape');
		await page.reload();
		await message(page, 'a whole edit').waitFor();
		assert.equal(await box(page).inputValue(), 'half a message');
		return { server, page };
	},

	async an_edit_in_a_thread_is_kept_like_any(browser) {
		const made = await world();
		const { server, alice, bob, general } = made;

		server.write(general, bob, 'the question');
		server.write(general, alice, 'as it was', { replyTo: 1 });
		const page = await opened(browser, made);
		const pane = page.locator('#pane-body');
		const reply = page.getByLabel('Reply in the thread');
		const openThread = async () => {
			await message(page, 'the question').focus();
			await page.keyboard.press('t');
			await pane.getByText('as it was').waitFor();
		};

		await openThread();
		await reply.press('ArrowUp');
		await reply.fill('half');
		await page.reload();
		await message(page, 'the question').waitFor();
		await openThread();
		assert.equal(await reply.inputValue(), 'half');
		server.refuseVerbs = 'forbidden';
		await reply.press('Enter');
		const refused = pane.getByText('Your edit was not saved.');

		await refused.waitFor();
		server.refuseVerbs = null;
		await pane.getByRole('button', { name: 'Edit again' }).click();
		assert.equal(await reply.inputValue(), 'half');
		await reply.fill('whole');
		await reply.press('Enter');
		await saved(made, 'whole', 2);
		await refused.waitFor({ state: 'detached' });
		await nothingKept(page);
		return { server, page };
	},

	async signing_out_leaves_no_edit(browser) {
		const made = await world();
		const { server, alice, general } = made;

		server.write(general, alice, 'as it was');
		const page = await opened(browser, made);

		goAway(made);
		await enter(page, 'as it was', 'never saved');
		await edit(page, 'as it was', 'never entered');
		await page.locator('#me').click();
		await page.getByRole('button', { name: 'Sign out' }).click();
		await page.locator('#handle').waitFor();
		await nothingKept(page);
		server.refuseConnections = false;
		await page.goto(made.link);
		await message(page, 'as it was').waitFor();
		await isConnected(page);
		assert.equal(await box(page).inputValue(), '');
		assert.equal(onServer(made).body, 'as it was');
		return { server };
	},
};
