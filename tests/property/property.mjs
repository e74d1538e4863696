/*
 * property - what live frames tell equals a fresh snapshot
 *
 *	node property.mjs [--seconds 30] [--seed N] [--people 8] [--rate 60]
 *	                  [--round 10] [--breaks cut,swallow,gateway,relay,redis,backend]
 *
 * People do everything a person can do, at random, over their sockets and in
 * SQL, while connections, messages on Redis and processes are lost.  Then all
 * is quiet, and each client that only followed (mirror.mjs) must come to know
 * exactly what one that asks for everything now is told: with Redis, and
 * without (polled).  The seed, which is printed, gives the choices.
 */

import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Instance, quote } from '../lib/instance.mjs';
import { sleep, waitFor } from '../lib/wait.mjs';
import { seededRandom } from '../e2e/unit/fakes.mjs';
import { Mirror } from './mirror.mjs';

const { values: given } = parseArgs({ options: {
	seconds: { type: 'string', default: '30' },
	seed: { type: 'string', default: String(Date.now() % 1000000) },
	people: { type: 'string', default: '8' },
	rate: { type: 'string', default: '60' },
	round: { type: 'string', default: '10' },
	breaks: { type: 'string',
		default: 'cut,swallow,gateway,relay,redis,backend' },
} });
const SETTLE_MS = 40000;

class Run {
	#instance = new Instance({
		CHEMCHAT_GATEWAY_ARGS: '--send-rate 0 --request-rate 0',
	});
	#random = seededRandom(Number(given.seed));
	#mirrors = [];
	#tokens = new Map();
	#outcomes = new Map();		/* operation -> Map code -> count */
	#breaks = new Map();
	#isQuiet = false;
	#isRedisAway = false;

	async main() {
		const differences = [];
		let rounds = 0;

		console.log(`seed ${given.seed}`);
		try {
			await this.#instance.start();
			await this.#gather();
			const endMs = Date.now() + Number(given.seconds) * 1000;

			do {
				this.#isQuiet = false;
				const load = this.#load();
				const faults = this.#break();

				await sleep(Number(given.round) * 1000);
				this.#isQuiet = true;
				await Promise.all([load, faults]);
				rounds++;
				differences.push(...await this.#compare(
					`round ${rounds}${this.#isRedisAway ? ' (polled)' : ''}`));
				if (this.#isRedisAway)
					await this.#redisBack();
			} while (Date.now() < endMs && differences.length === 0);
			return this.#judge(rounds, differences);
		} catch (error) {
			console.log(await this.#instance.logs());
			throw error;
		} finally {
			this.#mirrors.forEach((mirror) => mirror.close());
			await this.#instance.stop();
		}
	}

	#pick(list) {
		return list[Math.floor(this.#random() * list.length)];
	}

	async #gather() {
		for (let i = 0; i < Number(given.people); i++) {
			const id = await this.#instance.createUser(
				`p${i}-${given.seed}`, `Person ${i}`);

			this.#tokens.set(id, await this.#instance.token(id));
			/* some have two devices */
			for (let device = 0; device <= i % 2; device++) {
				const mirror = this.#mirror(id);

				this.#mirrors.push(mirror);
				mirror.run();
			}
		}
		await waitFor('all are online',
			() => this.#mirrors.every((mirror) => mirror.isInStep));
		for (let i = 0; i < 4; i++)
			await this.#operate('create');
	}

	#mirror(id) {
		return new Mirror(id, { url: this.#instance.env.CHEMCHAT_WS_URL,
			token: this.#tokens.get(id), random: this.#random });
	}

	/* ---- what people do ---- */

	async #load() {
		const underWay = new Set();
		let dueMs = Date.now();

		while (!this.#isQuiet) {
			dueMs += 1000 / Number(given.rate) * 2 * this.#random();
			if (dueMs > Date.now())
				await sleep(dueMs - Date.now());
			if (underWay.size > 50) {
				await Promise.race(underWay);
				continue;
			}
			const one = this.#operate(this.#weighted()).finally(() =>
				underWay.delete(one));

			underWay.add(one);
		}
		await Promise.all(underWay);
	}

	#weights = { send: 30, edit: 8, delete: 4, react: 10, mark: 14, add: 5,
		remove: 3, role: 4, leave: 3, join: 4, invite: 4, update: 3, profile: 3,
		block: 3, unblock: 2, preference: 5, create: 2, sql: 4 };

	#weighted() {
		const entries = Object.entries(this.#weights);
		let at = this.#random() *
			entries.reduce((sum, [, weight]) => sum + weight, 0);

		return entries.find(([, weight]) => (at -= weight) < 0)[0];
	}

	async #operate(type) {
		const mirror = this.#pick(this.#mirrors);
		const conversation = this.#pick([...mirror.conversations.values()]);
		const seq = this.#seqOf(mirror, conversation, type);
		const conversationId = conversation?.id;
		const userId = this.#userOf(conversation, type);
		const word = Math.floor(this.#random() * 1e9).toString(36);
		let fields = { conversationId };

		if (!conversationId && !['create', 'join', 'profile', 'block',
			'unblock'].includes(type))
			return;
		switch (type) {
			case 'send':
				fields = { conversationId, clientMsgId: randomUUID(),
					body: this.#random() < 0.1 ? `@all ${word}` : word };
				if (this.#random() < 0.2)
					fields.replyTo = seq;
				break;
			case 'edit':
				fields = { conversationId, seq, body: `${word}, mended` };
				break;
			case 'delete':
				fields = { conversationId, seq };
				break;
			case 'react':
				fields = { conversationId, seq, emoji: this.#pick(['👍', '🧪']),
					isOn: this.#random() < 0.7 };
				break;
			case 'mark':
				fields = { conversationId };
				fields[this.#pick(['readSeq', 'deliveredSeq'])] = seq;
				break;
			case 'add':
			case 'invite':
			case 'role':
				fields = { conversationId, userId, role: this.#pick(
					['owner', 'admin', 'member', 'member', 'guest']) };
				break;
			case 'remove':
				fields = { conversationId, userId };
				break;
			case 'join':
				fields = { conversationId: this.#pick([...mirror.invitations,
					...this.#public]) };
				if (!fields.conversationId)
					return;
				break;
			case 'update':
				fields = { conversationId, ...this.#pick([{ title: word },
					{ topic: word }, { isArchived: true },
					{ isArchived: false }, { isArchived: false }]) };
				break;
			case 'profile':
				fields = { displayName: word };
				break;
			case 'block':
			case 'unblock':
				fields = { userId };
				break;
			case 'preference':
				fields = { conversationId, ...this.#pick([{ isMuted: true },
					{ isMuted: false }, { notify: 'mentions' }]) };
				break;
			case 'create':
				fields = { kind: this.#pick(['group', 'group', 'channel']),
					title: word, members: [userId] };
				if (fields.kind === 'channel')
					fields.isPublic = true;
				break;
			case 'sql':
				return this.#inSql(mirror.userId, conversationId, seq, word);
		}
		const answer = await mirror.request(type, fields)
			.catch(() => ({ code: 'disconnected' }));

		if (type === 'create' && fields.isPublic && answer.conversationId)
			this.#public.push(answer.conversationId);
		this.#count(type, answer.code ?? 'done');
	}

	#public = [];

	/* Mostly something that makes sense, now and then anything. */
	#seqOf(mirror, conversation, type) {
		const known = [...conversation?.entities.values() ?? []].filter(
			(event) => event.kind === 'message' && (event.sender ===
				mirror.userId || !['edit', 'delete'].includes(type)));

		return known.length && this.#random() < 0.9 ? this.#pick(known).seq
			: 1 + Math.floor(this.#random() * 30);
	}

	#userOf(conversation, type) {
		const known = [...conversation?.entities.values() ?? []].filter(
			(event) => event.kind === 'member' && event.state !== 'removed');

		return known.length && ['role', 'remove'].includes(type) &&
			this.#random() < 0.9 ? this.#pick(known).userId
			: this.#pick([...this.#tokens.keys()]);
	}

	/* Several changes in one transaction, as a developer would. */
	async #inSql(actor, conversationId, seq, word) {
		const [who, where] = [quote(actor), quote(conversationId)];
		const end = this.#random() < 0.2 ? 'ROLLBACK' : 'COMMIT';
		const code = await this.#instance.sql(`BEGIN;
			SELECT count(*) FROM chemchat.send_message(${who}, ${where},
				${quote(randomUUID())}, ${quote(`sql ${word}`)});
			SAVEPOINT s;
			SELECT count(*) FROM chemchat.mark(${who}, ${where}, ${seq % 3});
			RELEASE SAVEPOINT s;
			SELECT count(*) FROM chemchat.update_user(${who}, ${quote(word)});
			${end}`).then(() => 'done', () => 'failed');

		this.#count('sql', code);
	}

	#count(type, code) {
		const codes = this.#outcomes.get(type) ?? new Map();

		this.#outcomes.set(type, codes);
		codes.set(code, (codes.get(code) ?? 0) + 1);
	}

	/* ---- what breaks ---- */

	async #break() {
		const kinds = given.breaks.split(',').filter(Boolean);

		while (!this.#isQuiet && kinds.length) {
			await sleep(300 + 1500 * this.#random());
			const kind = this.#pick(kinds);

			if (this.#isQuiet)
				return;
			this.#breaks.set(kind, (this.#breaks.get(kind) ?? 0) + 1);
			switch (kind) {
				case 'cut':
					this.#pick(this.#mirrors).cut();
					break;
				case 'swallow':
					this.#instance.proxy.swallowNext(
						this.#pick(['', 'cursor', 'member', 'message']));
					break;
				case 'gateway':
				case 'relay':
					await this.#killed(kind);
					break;
				case 'backend':
					await this.#killBackend();
					break;
				case 'redis':
					if (this.#isRedisAway)
						await this.#redisBack();
					else {
						await this.#instance.stopService('redis');
						this.#isRedisAway = true;
					}
					break;
			}
		}
	}

	async #killed(service) {
		const pid = await this.#instance.kill(service).catch(() => 0);

		if (pid)
			await waitFor(`${service} is back`,
				() => this.#instance.isBack(service, pid),
				{ withinMs: 60000, everyMs: 100 });
	}

	/* One backend's SIGKILL takes all of them down and through recovery. */
	async #killBackend() {
		const pids = await this.#instance.sql(`SELECT pid FROM pg_stat_activity
			WHERE application_name = 'chemchat-gateway'`).catch(() => '');
		const pid = Number(this.#pick(pids.split('\n')));

		if (pid > 1)
			process.kill(pid, 'SIGKILL');
	}

	async #redisBack() {
		await this.#instance.startService('redis');
		this.#isRedisAway = false;
	}

	/* ---- the comparison ---- */

	async #compare(when) {
		const differences = [];
		const beganMs = Date.now();

		await waitFor('everything is ready', async () =>
			await this.#instance.isReady('gateway') &&
			await this.#instance.isReady('relay'),
		{ withinMs: 60000, everyMs: 100 });
		for (const [id] of this.#tokens) {
			const fresh = this.#mirror(id);
			let snapshot;

			fresh.run();
			await waitFor(() => `${id} is online afresh`,
				() => fresh.isInStep, { withinMs: 30000 });
			snapshot = fresh.plain();
			for (const mirror of this.#mirrors) {
				if (mirror.userId !== id)
					continue;
				const found = () => difference(mirror.plain(), snapshot);

				await waitFor('equal', () => mirror.isInStep &&
					found().length === 0, { withinMs: SETTLE_MS, everyMs: 50 })
					.catch(() => differences.push(...found().slice(0, 5)
						.map((line) => `${when}, ${id}: ${line}`)));
				for (const invited of fresh.invitations) {
					if (!mirror.invitations.has(invited) &&
						!mirror.conversations.has(invited))
						differences.push(`${when}, ${id}: not invited to ${
							invited}`);
				}
			}
			fresh.close();
			this.#failures.push(...fresh.failures);
		}
		console.log(`${when}: compared in ${Date.now() - beganMs} ms`);
		return differences;
	}

	#failures = [];

	async #judge(rounds, differences) {
		const failures = this.#mirrors.flatMap((mirror) => mirror.failures)
			.concat(this.#failures);
		const sum = (name) => this.#mirrors.reduce((total, mirror) =>
			total + mirror.counts[name], 0);
		const crashes = await this.#instance.crashes();
		const done = [...this.#outcomes.values()].reduce((total, codes) =>
			total + (codes.get('done') ?? 0), 0);
		const results = [
			['live_equals_a_fresh_snapshot', differences],
			['nothing_forbidden_was_seen', failures],
			['nothing_crashed_by_itself', crashes],
			['something_was_done', done > 50 ? [] : [`${done} operations`]],
			['every_operation_was_done_once', Object.keys(this.#weights)
				.filter((type) => Number(given.seconds) >= 60 &&
					!this.#outcomes.get(type)?.get('done'))],
		];

		for (const [type, codes] of this.#outcomes)
			console.log(`  ${type}: ${[...codes].map(([code, n]) =>
				`${n} ${code}`).join(', ')}`);
		console.log(`  ${rounds} rounds, ${[...this.#breaks].map(([kind, n]) =>
			`${n} ${kind}`).join(', ')}; ${sum('frames')} frames, ${
			sum('pulls')} pulls, ${sum('connects')} connects, ${
			sum('lags')} lags, ${sum('resets')} resets`);
		for (const [name, bad] of results) {
			console.log(`${bad.length ? 'FAILED' : 'ok    '} ${name}`);
			bad.slice(0, 10).forEach((line) => console.log(`    ${line}`));
		}
		if (results.some(([, bad]) => bad.length))
			console.log(`again: tests/property/run --seed ${given.seed}`);
		return results.map(([, bad]) => bad.length === 0);
	}
}

/* Lines that one side has and the other has not. */
function difference(ours, theirs) {
	const [mine, yours] = [new Set(ours), new Set(theirs)];

	return [...ours.filter((line) => !yours.has(line))
		.map((line) => `known: ${line}`),
	...theirs.filter((line) => !mine.has(line))
		.map((line) => `should: ${line}`)].sort();
}

const results = await new Run().main();
const passed = results.filter(Boolean).length;

console.log(`${passed} passed, ${results.length - passed} failed`);
process.exit(passed === results.length ? 0 : 1);
