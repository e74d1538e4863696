/* Signing in, staying signed in, leaving: against a server of a few lines. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Account, claimsOf } from '../../../web/chemchat-account.js';
import { FakeClock } from './fakes.mjs';

const HOUR = 3600000;

function server(clock) {
	const asked = [];
	const answers = {};			/* "POST /v1/sessions" -> [status, fields] */
	let serial = 0;
	const session = () => [200, { token: `t${++serial}`, userId: 'u',
		expiresAt: new Date(clock.now() + 12 * HOUR).toISOString() }];

	answers['POST /v1/sessions'] = session;
	answers['POST /v1/sessions/refresh'] = session;
	answers['DELETE /v1/sessions/current'] = () => [204, {}];
	answers['PUT /v1/me/password'] = session;
	const fetch = async (path, options) => {
		const name = `${options.method} ${path}`;
		const made = answers[name]();

		asked.push({ name, ...options, body: options.body &&
			JSON.parse(options.body) });
		if (made === null)
			throw new TypeError('network');
		return { ok: made[0] < 300, status: made[0], json: async () => made[1] };
	};

	return { asked, answers, fetch };
}

async function signedIn() {
	const clock = new FakeClock();
	const world = server(clock);
	const kept = [];
	const account = new Account({ fetch: world.fetch, clock,
		onChange: (session) => kept.push(session) });

	await account.signIn('alice', 'secret');
	return { clock, account, kept, ...world };
}

test('a_password_becomes_a_token_and_is_not_kept', async () => {
	const { account, kept, asked } = await signedIn();

	assert.deepEqual(asked[0].body, { handle: 'alice', password: 'secret' });
	assert.equal(await account.token(), 't1');
	assert.equal(account.userId, 'u');
	assert.ok(!JSON.stringify(kept).includes('secret'));
});

test('a_wrong_password_is_told_and_nothing_is_kept', async () => {
	const clock = new FakeClock();
	const { fetch, answers } = server(clock);
	const account = new Account({ fetch, clock });

	answers['POST /v1/sessions'] = () => [401, { code: 'invalid_credentials' }];
	await assert.rejects(account.signIn('alice', 'x'),
		{ code: 'invalid_credentials' });
	assert.equal(account.session, null);
});

test('a_token_is_refreshed_before_it_ends', async () => {
	const { account, clock, kept } = await signedIn();

	await clock.advance(9 * HOUR);
	assert.equal(await account.token(), 't2');
	assert.equal(kept.at(-1).token, 't2');
	await clock.advance(9 * HOUR);
	assert.equal(await account.token(), 't3');
});

test('a_refresh_that_fails_passingly_is_tried_again', async () => {
	const { account, answers, clock } = await signedIn();
	const good = answers['POST /v1/sessions/refresh'];

	answers['POST /v1/sessions/refresh'] = () => null;
	await clock.advance(9 * HOUR);
	assert.equal(await account.token(), 't1');
	answers['POST /v1/sessions/refresh'] = good;
	await clock.advance(2 * 60000);
	assert.equal(await account.token(), 't2');
});

test('a_token_that_slept_past_its_end_is_refreshed_when_it_is_asked_for', async () => {
	const clock = new FakeClock();
	const { fetch } = server(clock);
	const account = new Account({ fetch, clock, session: { token: 'old',
		userId: 'u', expiresAt: new Date(clock.now() + 1000).toISOString() } });

	assert.equal(await account.token(), 't1');
	account.close();
});

test('a_token_is_refreshed_in_time_by_a_clock_that_is_hours_off', async () => {
	for (const hoursOff of [-30, -13, 13, 30]) {
		const clock = new FakeClock();
		const { fetch, answers, asked } = server(clock);
		const account = new Account({ fetch, clock });
		const good = () => {
			/* seconds of the server's clock */
			const iat = (clock.now() + hoursOff * HOUR) / 1000;
			const exp = iat + 12 * 3600;
			const part = (value) => Buffer.from(JSON.stringify(value))
				.toString('base64url');

			return [200, { token: `${part({})}.${part({ iat, exp })}.x`,
				userId: 'u', expiresAt: new Date(exp * 1000).toISOString() }];
		};
		const refreshed = () => asked.filter(({ name }) =>
			name === 'POST /v1/sessions/refresh').length;

		answers['POST /v1/sessions'] = good;
		answers['POST /v1/sessions/refresh'] = good;
		await account.signIn('alice', 'secret');
		await account.token();
		assert.equal(refreshed(), 0, `${hoursOff} h off, at once`);
		await clock.advance(11 * HOUR);
		assert.equal(refreshed(), 1, `${hoursOff} h off, before it ends`);
		account.close();
	}
});

test('a_token_the_server_will_not_refresh_is_used_until_it_ends', async () => {
	const { account, answers, asked, clock } = await signedIn();

	answers['POST /v1/sessions/refresh'] = () => [401, { code: 'invalid_token' }];
	await clock.advance(12 * HOUR);
	assert.equal(await account.token(), 't1');
	assert.equal(await account.token(), 't1');
	assert.equal(asked.filter(({ name }) => name.includes('refresh')).length, 1);
});

test('signing_out_forgets_first_and_tells_the_server', async () => {
	const { account, asked, kept, clock } = await signedIn();

	await account.signOut();
	assert.equal(kept.at(-1), null);
	assert.equal(asked.at(-1).name, 'DELETE /v1/sessions/current');
	assert.equal(asked.at(-1).headers.authorization, 'Bearer t1');
	assert.equal(clock.pending, 0);
	assert.equal(await account.token(), '');
});

test('a_new_password_goes_on_with_a_new_session', async () => {
	const { account, asked } = await signedIn();

	await account.changePassword('secret', 'better secret');
	assert.deepEqual(asked.at(-1).body,
		{ oldPassword: 'secret', newPassword: 'better secret' });
	assert.equal(await account.token(), 't2');
	account.close();
});

test('claims_of_anything_are_an_object', () => {
	const part = (value) => Buffer.from(JSON.stringify(value))
		.toString('base64url');

	assert.equal(claimsOf(`x.${part({ sub: 'ü' })}.y`).sub !== undefined, true);
	for (const odd of [undefined, null, '', 'x', 'a.b.c', '..'])
		assert.deepEqual(claimsOf(odd), {});
});
