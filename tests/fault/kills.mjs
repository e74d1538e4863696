/*
 * kills - people chat while processes are killed (-9) or frozen
 *
 *	node kills.mjs [--seconds 60] [--seed N] [--rate 100] [--sockets 32]
 *	               [--conversations 64] [--kill gateway,relay,postgres,...]
 *	               [--stop gateway,relay,postgres,redis,kafka]
 *
 * What can be killed and stopped: faults.mjs.  Killing `kafka` is not in the
 * default; it takes long to start.  Then everything is compared by oracle.mjs.
 * The seed, which is printed, gives the choices (who, where, whom to kill,
 * when), not the machine's pace.
 */

import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Instance } from '../lib/instance.mjs';
import { Person } from '../lib/person.mjs';
import { TopicReader } from '../lib/kafka.mjs';
import { sleep, waitFor } from '../lib/wait.mjs';
import { seededRandom } from '../e2e/unit/fakes.mjs';
import { Doings } from './doings.mjs';
import { Faults } from './faults.mjs';
import { checks } from './oracle.mjs';
import { stored, lastRevs } from './stored.mjs';

const { values: given } = parseArgs({ options: {
	seconds: { type: 'string', default: '60' },
	seed: { type: 'string', default: String(Date.now() % 1000000) },
	rate: { type: 'string', default: '100' },
	sockets: { type: 'string', default: '32' },
	conversations: { type: 'string', default: '64' },
	kill: { type: 'string',
		default: 'gateway,relay,postgres,redis,backend,walsender' },
	stop: { type: 'string', default: 'gateway,relay,postgres,redis,kafka' },
	longest: { type: 'string', default: '8' },	/* seconds of a stop */
} });
const SETTLE_MS = 120000;
const GAP_LIMIT_MS = 10000;		/* without one acknowledgement, after a kill */
const DOINGS_PER_SEND = 0.3;

class Run {
	#instance = new Instance();
	#random = seededRandom(Number(given.seed));
	#people = [];
	#conversations = [];		/* {id, members: [Person]} */
	#doings = new Doings({ instance: this.#instance, random: this.#random,
		conversations: this.#conversations });
	#faults = new Faults({ instance: this.#instance, random: this.#random });
	#sent = 0;
	#kills = [];				/* {service, how, stopMs, backMs, gapMs} */
	#lastAckMs = Date.now();
	#isOver = false;
	#topic;

	async main() {
		console.log(`seed ${given.seed}`);
		try {
			await this.#instance.start();
			await this.#settle();
			const fault = this.#breakThings();
			const load = this.#chat();
			const cuts = this.#cutConnections();

			await sleep(Number(given.seconds) * 1000);
			this.#isOver = true;
			await Promise.all([fault, load, cuts]);
			await this.#tellRest();
			return this.#judge(await this.#world(),
				await this.#instance.crashes());
		} catch (error) {
			console.log(await this.#instance.logs());
			throw error;
		} finally {
			this.#people.forEach((person) => person.close());
			this.#topic?.stop();
			await this.#instance.stop();
		}
	}

	#pick(list) {
		return list[Math.floor(this.#random() * list.length)];
	}

	/* ---- people and what they do ---- */

	async #settle() {
		const run = this.#random().toString(36).slice(2, 8);

		for (let i = 0; i < Number(given.sockets); i++) {
			const userId = await this.#instance.createUser(`k${i}-${run}`);
			const person = new Person(`k${i}`, {
				url: this.#instance.env.CHEMCHAT_WS_URL,
				token: await this.#instance.token(userId),
			});

			person.userId = userId;
			this.#people.push(person);
			person.client.connect();
		}
		for (let i = 0; i < Number(given.conversations); i++) {
			const members = new Set();
			const size = 2 + Math.floor(this.#random() * 5);

			while (members.size < Math.min(size, this.#people.length))
				members.add(this.#pick(this.#people));
			const id = await this.#instance.createConversation('group', `c${i}`,
				[...members].map((person) => person.userId));

			this.#conversations.push({ id, members: [...members] });
		}
		const missing = () => this.#conversations.flatMap(({ id, members }) =>
			members.filter((person) => !person.client.conversations()
				.some((one) => one.id === id))
				.map((person) => `${person.name} (${
					person.client.connection}) in ${id}`));

		await waitFor(() => `all are in their conversations: ${missing()}`,
			() => missing().length === 0, { withinMs: 30000 });
		this.#topic = new TopicReader(this.#instance.env.CHEMCHAT_KAFKA);
	}

	async #chat() {
		const everyMs = 1000 / Number(given.rate);
		let dueMs = Date.now();

		while (!this.#isOver) {
			for (; dueMs <= Date.now(); dueMs += everyMs)
				this.#act();
			await sleep(Math.max(1, dueMs - Date.now()));
		}
	}

	#act() {
		if (this.#random() < DOINGS_PER_SEND)
			this.#doings.begin();
		this.#say();
	}

	#say() {
		const conversation = this.#pick(this.#conversations);
		const { id: conversationId, members } = conversation;
		const person = this.#pick(members);
		const body = `${++this.#sent} ${'x'.repeat(Math.floor(this.#random() * 300))}`;
		const clientMsgId = randomUUID();
		const about = { conversationId, clientMsgId, sender: person.userId };

		person.client.send(conversationId, body, { clientMsgId }).done.then(
			({ id, seq, ev, isDuplicate }) => {
				this.#doings.acks.push({ ...about, body, id, seq, ev, isDuplicate });
				this.#doings.knows(conversation, person, seq);
				this.#acknowledged();
			},
			({ code }) => this.#doings.refusals.push({ ...about, code }));
	}

	/* How long nobody got an answer, for the kill that began it. */
	#acknowledged() {
		const beganMs = this.#lastAckMs;
		const kill = this.#kills.find(({ atMs }) => atMs >= beganMs - 500) ??
			this.#kills.at(-1);

		this.#lastAckMs = Date.now();
		if (kill && !this.#isOver)	/* then nobody sends any more */
			kill.gapMs = Math.max(kill.gapMs, this.#lastAckMs - beganMs);
	}

	/* A tenth of the sockets dies now and then. */
	async #cutConnections() {
		const flaky = this.#people.slice(0, Math.ceil(this.#people.length / 10));

		while (!this.#isOver) {
			await sleep(300 + this.#random() * 1500);
			this.#pick(flaky).cut();
		}
	}

	async #breakThings() {
		const all = ['kill', 'stop'].flatMap((how) => given[how].split(',')
			.filter(Boolean).map((service) => ({ how, service })));

		while (!this.#isOver && all.length) {
			await sleep(1500 + this.#random() * 3500);
			if (this.#isOver)
				return;
			const { how, service } = this.#pick(all);
			const stopMs = how === 'stop'
				? 1000 + this.#random() * (Number(given.longest) - 1) * 1000 : 0;
			const kill = { service, how, stopMs, atMs: Date.now(), gapMs: 0 };

			this.#kills.push(kill);
			await this.#faults[how](service, stopMs);
			kill.backMs = Date.now() - kill.atMs - stopMs;
		}
	}

	/* What was begun ends: nothing more is to come but the library's resends. */
	async #tellRest() {
		await Promise.race([this.#doings.idle(), sleep(SETTLE_MS)]);
		const { count, counts, rest } = this.#doings.pending();

		if (count > 0)
			throw new Error(`${count} requests are not answered: ${
				JSON.stringify(counts)}; ${rest.join(', ')}; ${this.#people
				.filter(({ isOnline }) => !isOnline)
				.map(({ name, client }) => `${name} is ${client.connection}`)
				.join(', ')}`);
	}

	/* ---- afterwards ---- */

	/* Waits until everything has arrived, then collects what there is. */
	async #world() {
		const lagging = () => this.#people
			.map((person) => `${person.name} ${person.client.connection} ${
				person.client.outbox().length}`)
			.filter((text) => !text.endsWith('online 0')).join(', ');

		await waitFor(() => `all is sent: ${lagging()}`, () => this.#people
			.every((person) => person.client.outbox().length === 0),
		{ withinMs: SETTLE_MS, everyMs: 100 });
		const ids = this.#conversations.map(({ id }) => id);
		const tables = await this.#whenMarked(() => stored(this.#instance, ids));
		const { changes } = tables;
		const transcripts = this.#conversations.flatMap(({ id, members }) =>
			members.map((person) => ({ person, conversationId: id })));
		const isThere = (list, id) =>
			(list.at(-1)?.ev ?? 0) >= changes.get(id).at(-1).ev;

		/* Not to arrive is a violation for the oracle to name, not a timeout. */
		await waitFor('', () => transcripts.every(({ person, conversationId }) =>
			isThere(person.events(conversationId), conversationId)),
		{ withinMs: 30000, everyMs: 100 }).catch(() => {});
		await waitFor('', () => this.#conversations.every(({ id }) =>
			isThere(this.#topic.of(id), id)),
		{ withinMs: 60000, everyMs: 100 }).catch(() => {});
		await waitFor('', async () => (await this.#instance.sql(`SELECT sum(events)
			FROM chemchat.outbox_status()`)) === '0',
		{ withinMs: 60000, everyMs: 500 }).catch(() => {});
		return {
			...tables, acks: this.#doings.acks, refusals: this.#doings.refusals,
			deeds: this.#doings.deeds, topic: this.#topic,
			revs: await lastRevs(this.#instance.env.CHEMCHAT_KAFKA,
				[...tables.expectedRevs.keys()]),
			transcripts: transcripts.map(({ person, conversationId }) => ({
				name: person.name, conversationId,
				events: person.events(conversationId),
			})),
			resets: this.#people.flatMap((person) =>
				person.resets.map((id) => `${person.name} ${id ?? 'everything'}`)),
			failures: this.#people.flatMap((person) => person.failures
				.map((failure) => `${person.name}: ${failure}`))
				.concat(this.#doings.failures),
		};
	}

	/* The library tells cursors by itself, a moment later: 20 s are plenty. */
	async #whenMarked(look) {
		const isTold = ({ cursors }) => [...this.#doings.marks].every(
			([key, seq]) => (cursors.get(key)?.readSeq ?? 0) >= seq);
		let tables = await look();

		for (let i = 0; i < 20 && !isTold(tables); i++) {
			await sleep(1000);
			tables = await look();
		}
		for (const [key, readSeq] of this.#doings.marks) {
			const [userId, conversationId] = key.split('/');

			this.#doings.deeds.push({ what: 'mark', conversationId, userId,
				readSeq });
		}
		return tables;
	}

	#judge(world, crashes) {
		const results = checks(world);
		const gaps = this.#kills.filter((kill) =>
			kill.gapMs > GAP_LIMIT_MS + kill.stopMs);

		results.push({
			name: 'sends_go_on_soon_after_a_kill', count: gaps.length,
			violations: gaps.map((kill) => `${kill.how} ${kill.service}: ${
				kill.gapMs} ms`),
		}, {
			name: 'nothing_ended_but_what_was_killed', count: crashes.length,
			violations: crashes,
		}, {
			name: 'there_was_load_and_there_were_kills',
			count: Number(world.acks.length < Number(given.seconds) * 10 ||
				(given.kill && this.#kills.length === 0)),
			violations: [`${world.acks.length} acknowledged, ${
				this.#kills.length} kills`],
		});
		this.#summary(world);
		let failed = 0;

		for (const { name, count, violations } of results) {
			failed += Number(count > 0);
			console.log(count ? `FAIL ${name}: ${count}\n  ${
				violations.join('\n  ')}` : `ok   ${name}`);
		}
		if (failed)
			console.log(`again: tests/fault/run --seconds ${given.seconds
			} --seed ${given.seed} --kill ${given.kill} --stop ${given.stop}`);
		console.log(`${results.length - failed} passed, ${failed} failed`);
		return failed ? 1 : 0;
	}

	#summary({ acks, refusals, topic }) {
		const duplicates = acks.filter((ack) => ack.isDuplicate).length;

		console.log(`${this.#sent} sent, ${acks.length} acknowledged (${
			duplicates} of them by a retry), ${refusals.length} refused; topic: ${
			topic.records} records, ${topic.duplicates} of them duplicates`);
		console.log(Object.entries(this.#doings.counts)
			.map(([name, count]) => `${name}: ${count}`).join(', '));
		for (const name of new Set(this.#kills.map(nameOf))) {
			const kills = this.#kills.filter((kill) => nameOf(kill) === name);
			const worst = (field) =>
				Math.round(Math.max(...kills.map((kill) => kill[field] ?? 0)));

			console.log(`${name}: ${kills.length} times, back within ${
				worst('backMs')} ms, longest without an acknowledgement ${
				worst('gapMs')} ms`);
		}
	}
}

const nameOf = ({ how, service }) => `${how} ${service}`;

new Run().main().then((code) => process.exit(code), (error) => {
	console.error(error.stack);
	console.log('0 passed, 1 failed');
	process.exit(1);
});
