/*
 * matrix - who may do what through which door
 *
 *	node matrix.mjs
 *
 * Every verb of `chemchat-gateway --print-verbs`, by everybody there is to a
 * conversation, over WebSocket and REST: a verb that is not judged here is a
 * failure.  Each cell has a conversation of its own.  Who is outside gets the
 * same answer whether or not the conversation exists, and nothing anybody
 * outside ever receives holds a word of it.
 */

import { execFileSync } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Instance, ROOT, quote } from '../lib/instance.mjs';
import { sleep, waitFor } from '../lib/wait.mjs';
import { judged } from './judged.mjs';
import { rest, Socket } from './doors.mjs';

const SECRET = 'xyzzy';		/* in every title, topic and body */
const INSIDE = ['guest', 'member', 'admin', 'owner'];
const OUTSIDE = ['invited', 'ex', 'stranger'];
const VOID = ['deactivated', 'expired', 'revoked'];
const REVOKED_MS = 5000;

class Matrix {
	#instance = new Instance({ CHEMCHAT_GATEWAY_ARGS:
		'--send-rate 0 --request-rate 0 --address-requests 0 ' +
			'--log-level debug' });
	#ids = new Map();			/* who -> user id */
	#tokens = new Map();
	#sockets = new Map();
	#rooms = [];
	#bad = new Map();			/* test -> violations */
	#cells = 0;
	#verbs;

	async main() {
		try {
			await this.#instance.start();
			this.#verbs = execFileSync(path.join(ROOT,
				'build/release/bin/chemchat-gateway'), ['--print-verbs'],
			{ maxBuffer: 1 << 24 }).toString().trim().split('\n')
				.map((line) => JSON.parse(line))
				.map((verb) => ({ ...verb,
					key: verb.type ?? `${verb.method} ${verb.path}` }));
			await this.#people();
			for (const name of ['every_verb_is_judged',
				'inside_a_role_decides', 'outside_nothing_is_told',
				'outside_cannot_tell_whether_it_exists',
				'a_void_token_opens_nothing',
				'an_open_socket_ends_with_its_token',
				'a_block_silences_both', 'no_word_reaches_who_is_outside',
				'the_logs_hold_no_body_and_no_token'])
				this.#bad.set(name, []);
			this.#everyVerb();
			for (const verb of this.#verbs) {
				if (judged[verb.key] && !judged[verb.key].isSkipped)
					await this.#verb(verb);
			}
			await this.#blocked();
			await this.#timing();
			await this.#void();
			for (const who of OUTSIDE)
				this.#leak(`${who}'s socket`, this.#sockets.get(who).strays
					.join('\n'));
			for (const line of await this.#instance.told([SECRET,
				...[...this.#tokens.values()].map((token) =>
					token.split('.')[2])]))
				this.#fail('the_logs_hold_no_body_and_no_token', line);
			return this.#judge();
		} catch (error) {
			console.log(await this.#instance.logs());
			throw error;
		} finally {
			this.#sockets.forEach((socket) => socket.close());
			await this.#instance.stop();
		}
	}

	#fail(name, line) {
		this.#bad.get(name).push(line);
	}

	#leak(where, text) {
		if (text.includes(SECRET))
			this.#fail('no_word_reaches_who_is_outside',
				`${where}: ${text.slice(0, 200)}`);
	}

	async #people() {
		for (const who of [...INSIDE, ...OUTSIDE, ...VOID, 'blocked', 'other']) {
			this.#ids.set(who, await this.#instance.createUser(
				`${who}-${randomUUID().slice(0, 8)}`, who));
			this.#tokens.set(who,
				await this.#instance.token(this.#ids.get(who)));
		}
		for (const who of this.#ids.keys()) {
			const socket = new Socket(this.#instance.env.CHEMCHAT_WS_URL,
				this.#tokens.get(who));

			await socket.open();
			this.#sockets.set(who, socket);
		}
		await this.#instance.sql(`
			CREATE FUNCTION public.matrix_room() RETURNS uuid LANGUAGE plpgsql AS $$
			DECLARE
				room uuid;
				who record;
			BEGIN
				SELECT id INTO room FROM chemchat.create_conversation(
					${quote(this.#ids.get('owner'))}, 'group', '${SECRET} title',
					'{}', NULL, '${SECRET} topic');
				PERFORM chemchat.send_message(${quote(this.#ids.get('owner'))},
					room, gen_random_uuid(), '${SECRET} owner');
				FOR who IN SELECT * FROM (VALUES
					${['admin', 'member', 'guest', 'ex'].map((role) => `(
						${quote(this.#ids.get(role))}::uuid,
						'${role === 'ex' ? 'member' : role}')`).join(', ')})
					AS p (id, role)
				LOOP
					PERFORM chemchat.add_member(${quote(this.#ids.get('owner'))},
						room, who.id, who.role);
					PERFORM chemchat.send_message(who.id, room,
						gen_random_uuid(), '${SECRET} ' || who.role);
				END LOOP;
				PERFORM chemchat.edit_message(${quote(this.#ids.get('owner'))},
					room, 1, '${SECRET} owner again');
				PERFORM chemchat.react(${quote(this.#ids.get('member'))}, room,
					1, '🧪');
				PERFORM chemchat.remove_member(${quote(this.#ids.get('owner'))},
					room, ${quote(this.#ids.get('ex'))});
				PERFORM chemchat.invite(${quote(this.#ids.get('owner'))}, room,
					${quote(this.#ids.get('invited'))});
				RETURN room;
			END $$`);
	}

	/* Made many at a time. */
	async #room() {
		if (this.#rooms.length === 0)
			this.#rooms = (await this.#instance.sql(`SELECT public.matrix_room()
				FROM generate_series(1, 60)`)).split('\n');
		return this.#rooms.pop();
	}

	#everyVerb() {
		const known = new Set(this.#verbs.map((verb) => verb.key));

		for (const { key } of this.#verbs) {
			if (!judged[key])
				this.#fail('every_verb_is_judged', `${key} is not in judged.mjs`);
		}
		for (const key of Object.keys(judged)) {
			if (!known.has(key))
				this.#fail('every_verb_is_judged', `${key} is no verb`);
		}
	}

	/* ---- one verb, everybody, both doors ---- */

	async #verb(verb) {
		for (const door of ['ws', 'rest']) {
			if (door === 'ws' ? !verb.type : !verb.path)
				continue;
			for (const who of [...INSIDE, ...OUTSIDE])
				await this.#cell(verb, door, who);
		}
	}

	async #cell(verb, door, who) {
		const { isIn, fields, allowed, refused = {}, tells = [] } =
			judged[verb.key];
		const room = isIn ? await this.#room() : randomUUID();
		const given = fields({ room, who, seq: seqOf(who),
			id: (name) => this.#ids.get(name) });
		const answer = await this.#ask(verb, door, who, given);
		const name = `${verb.key} by ${who} over ${door}`;
		const isOutside = OUTSIDE.includes(who);

		this.#cells++;
		if (isOutside && !tells.includes(who))
			this.#leak(name, answer.text);
		if (!isIn) {
			if (answer.code)
				this.#fail('inside_a_role_decides', `${name}: ${answer.text}`);
			return;
		}
		if (!isOutside) {
			const expected = refused[who] ??
				(INSIDE.indexOf(who) >= INSIDE.indexOf(allowed)
					? undefined : 'forbidden');

			if (answer.code !== expected)
				this.#fail('inside_a_role_decides',
					`${name}: ${answer.code ?? 'done'}, not ${
						expected ?? 'done'} (${answer.text.slice(0, 160)})`);
			return;
		}
		const expected = Object.hasOwn(refused, who) ? refused[who] : 'not_found';

		if (answer.code !== expected)
			this.#fail('outside_nothing_is_told', `${name}: ${
				answer.code ?? 'done'} (${answer.text.slice(0, 160)})`);
		if (expected !== 'not_found')
			return;
		const nowhere = await this.#ask(verb, door, who,
			{ ...given, conversationId: randomUUID() });

		if (nowhere.shape !== answer.shape)
			this.#fail('outside_cannot_tell_whether_it_exists',
				`${name}: ${answer.shape} and ${nowhere.shape}`);
	}

	#ask(verb, door, who, fields) {
		return door === 'ws' ? this.#sockets.get(who).ask(verb.type, fields)
			: rest(this.#instance.env.CHEMCHAT_WS_URL, verb,
				this.#tokens.get(who), fields);
	}

	/* ---- what goes wrong between two ---- */

	async #blocked() {
		const [blocked, owner] = ['blocked', 'owner'].map((who) =>
			this.#ids.get(who));
		const room = await this.#instance.createConversation('direct', null,
			[owner, blocked]);
		const own = await this.#instance.createConversation('group', 'hers',
			[blocked]);

		await this.#instance.sql(`SELECT chemchat.block_user(${quote(owner)},
			${quote(blocked)})`);
		for (const door of ['ws', 'rest']) {
			const send = (who) => this.#ask(this.#of('send'), door, who, {
				conversationId: room, clientMsgId: randomUUID(), body: 'x' });
			const expect = async (what, answer) => {
				this.#cells++;
				if ((await answer).code !== 'forbidden')
					this.#fail('a_block_silences_both',
						`${what} over ${door}: ${(await answer).text}`);
			};

			await expect('a send by the blocked', send('blocked'));
			await expect('a send by the blocker', send('owner'));
			for (const type of ['add', 'invite'])
				await expect(`${type} by the blocked`, this.#ask(this.#of(type),
					door, 'blocked', { conversationId: own, userId: owner }));
		}
	}

	#of(key) {
		return this.#verbs.find((verb) => verb.key === key);
	}

	/* Told, not judged: a busy machine would make it lie. */
	async #timing() {
		const room = await this.#room();
		const took = { there: [], nowhere: [] };

		for (let i = 0; i < 200; i++) {
			for (const [name, id] of [['there', room],
				['nowhere', randomUUID()]]) {
				const began = process.hrtime.bigint();

				await this.#ask(this.#of('history'), 'ws', 'stranger',
					{ conversationId: id });
				took[name].push(Number(process.hrtime.bigint() - began) / 1e3);
			}
		}
		const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

		console.log(`  a stranger's history, median: ${
			median(took.there).toFixed(0)} us where it exists, ${
			median(took.nowhere).toFixed(0)} us where it does not`);
	}

	/* ---- tokens that are no more ---- */

	async #void() {
		const secret = (await readFile(
			this.#instance.env.CHEMCHAT_JWT_SECRET_FILE, 'utf8')).trim();

		this.#tokens.set('expired', expired(this.#tokens.get('expired'), secret));
		await this.#instance.sql(`SELECT chemchat.deactivate_user(${
			quote(this.#ids.get('deactivated'))});
			SELECT chemchat.revoke_user_tokens(${
	quote(this.#ids.get('revoked'))})`);
		for (const who of ['deactivated', 'revoked']) {
			await waitFor('closed', () => this.#sockets.get(who).closeCode,
				{ withinMs: REVOKED_MS }).catch(() => {});
			if (this.#sockets.get(who).closeCode !== 4401)
				this.#fail('an_open_socket_ends_with_its_token', `${who}: ${
					this.#sockets.get(who).closeCode ?? 'open'}`);
		}
		await sleep(100);
		for (const who of VOID) {
			const socket = new Socket(this.#instance.env.CHEMCHAT_WS_URL,
				this.#tokens.get(who));
			const code = await socket.open().then(() => 'welcome',
				() => socket.closeCode);

			this.#cells++;
			if (code !== 4401)
				this.#fail('a_void_token_opens_nothing', `${who}: ${code}`);
			for (const verb of this.#verbs) {
				if (!verb.path || verb.isPublic)
					continue;
				const { fields } = judged[verb.key];
				const answer = await rest(this.#instance.env.CHEMCHAT_WS_URL,
					verb, this.#tokens.get(who), fields({
						room: await this.#room(), who, seq: 1,
						id: (name) => this.#ids.get(name) }));

				this.#cells++;
				this.#leak(`${verb.key} by ${who}`, answer.text);
				if (answer.status !== 401 || answer.code !== 'invalid_token')
					this.#fail('a_void_token_opens_nothing', `${verb.key} by ${
						who}: ${answer.status} ${answer.text.slice(0, 120)}`);
			}
		}
	}

	#judge() {
		console.log(`  ${this.#cells} cells, ${this.#verbs.length} verbs`);
		for (const [name, bad] of this.#bad) {
			console.log(`${bad.length ? 'FAILED' : 'ok    '} ${name}`);
			bad.slice(0, 20).forEach((line) => console.log(`    ${line}`));
		}
		return [...this.#bad.values()].map((bad) => bad.length === 0);
	}
}

/* Each who was ever in it wrote one message. */
function seqOf(who) {
	return { owner: 1, admin: 2, member: 3, guest: 4, ex: 5 }[who] ?? 1;
}

/* The same token, an hour past its end, signed with the real key. */
function expired(token, secret) {
	const [head, body] = token.split('.');
	const [, kid, hex] = /^(?:([^:]*):)?([0-9a-f]+)/iu.exec(secret);
	const claims = JSON.parse(Buffer.from(body, 'base64url'));
	const now = Math.floor(Date.now() / 1000);
	const text = `${head}.${Buffer.from(JSON.stringify({ ...claims,
		iat: now - 7200, nbf: undefined, exp: now - 3600 })).toString('base64url')}`;

	void kid;
	return `${text}.${createHmac('sha256', Buffer.from(hex, 'hex')).update(text)
		.digest('base64url')}`;
}

const results = await new Matrix().main();
const passed = results.filter(Boolean).length;

console.log(`${passed} passed, ${results.length - passed} failed`);
process.exit(passed === results.length ? 0 : 1);
