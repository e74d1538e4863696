/*
 * stage - plays one .chat file on a running instance
 *
 * Every file has people and conversations of its own.  Who waits for a
 * message waits for the *next* message of that conversation: another one in
 * its place, one too many or one too few, is a failure.
 */

import { randomUUID } from 'node:crypto';
import { quote } from '../lib/instance.mjs';
import { Person } from '../lib/person.mjs';
import { TopicReader } from '../lib/kafka.mjs';
import { waitFor } from '../lib/wait.mjs';

const PATIENCE_MS = 20000;

export class Stage {
	#instance;
	#people = new Map();		/* name -> Person */
	#ids = new Map();			/* person's name -> user id */
	#conversations = new Map();	/* name -> id */
	#read = new Map();			/* who/conversation -> messages taken */
	#messageIds = new Map();	/* name given by `as` -> clientMsgId */
	#writes = new Map();		/* who/body -> the promise of a write */
	#pids = new Map();			/* service -> pid that was killed */
	#stopped = new Set();
	#topic = null;
	#suffix = randomUUID().slice(0, 8);

	constructor(instance) {
		this.#instance = instance;
	}

	async play(steps) {
		try {
			for (const step of steps) {
				try {
					await this.#step(step);
				} catch (error) {
					throw new Error(`line ${step.line}: ${step.source}\n  ${
						error.message}`, { cause: error });
				}
			}
			for (const person of this.#people.values()) {
				if (person.failures.length)
					throw new Error(`${person.name}: ${person.failures.join('; ')}`);
			}
			if (this.#topic?.failures.length)
				throw new Error(`topic: ${this.#topic.failures.join('; ')}`);
		} finally {
			this.#people.forEach((person) => person.close());
			this.#topic?.stop();
			await this.#restore();
		}
	}

	/* The next file finds everything running, however this one ended. */
	async #restore() {
		for (const service of this.#stopped)
			await this.#instance.startService(service);
		for (const [service, pid] of this.#pids)
			await waitFor(`${service} is back`,
				() => this.#instance.isBack(service, pid),
				{ withinMs: 60000, everyMs: 100 });
	}

	#step(step) {
		const table = !step.who ? this.#sceneVerbs
			: step.who === 'psql' ? this.#sqlVerbs
				: { '>': this.#doVerbs, '<': this.#waitVerbs,
					'!': this.#assertVerbs }[step.sign];
		const verb = Object.hasOwn(table, step.verb) && table[step.verb];

		if (!verb)
			throw new Error('no such verb here');
		return verb(step, ...step.args);
	}

	/* ---- names ---- */

	#person(name) {
		const person = this.#people.get(name);

		if (!person)
			throw new Error(`who is ${name}?`);
		return person;
	}

	#userId(name) {
		return this.#known(this.#ids, name);
	}

	#conversation(name) {
		return this.#known(this.#conversations, name);
	}

	#known(map, name) {
		if (!map.has(name))
			throw new Error(`what is ${name}?`);
		return map.get(name);
	}

	#messageId(name) {
		if (!this.#messageIds.has(name))
			this.#messageIds.set(name, randomUUID());
		return this.#messageIds.get(name);
	}

	/* Messages of a conversation as this person, or the topic, saw them. */
	#messages(who, conversationId) {
		if (who === 'kafka')
			this.#topic ??= new TopicReader(this.#instance.env.CHEMCHAT_KAFKA);
		const events = who === 'kafka' ? this.#topic.of(conversationId)
			: this.#person(who).events(conversationId);

		return events.filter((event) => event.kind === 'message');
	}

	async #signIn(name, userId) {
		const person = new Person(name, {
			url: this.#instance.env.CHEMCHAT_WS_URL,
			token: await this.#instance.token(userId),
		});

		this.#people.set(name, person);
		person.client.connect();
	}

	/* ---- the scene: who there is, and what breaks ---- */

	#sceneVerbs = {
		users: async (step, ...names) => {
			for (const name of names) {
				this.#ids.set(name, await this.#instance.createUser(
					`${name}-${this.#suffix}`, name));
				await this.#signIn(name, this.#ids.get(name));
			}
			for (const name of names)
				await waitFor(`${name} is online`,
					() => this.#person(name).isOnline);
		},
		/* A second one of somebody who is here: `device phone bob`. */
		device: async (step, name, owner) => {
			await this.#signIn(name, this.#userId(owner));
			await waitFor(`${name} is online`,
				() => this.#person(name).isOnline);
		},
		/* Public: who wants to joins. */
		channel: async (step, name, owner) => {
			this.#owners.set(name, this.#userId(owner));
			this.#conversations.set(name, await this.#instance
				.createConversation('channel', name, [this.#userId(owner)]));
			await this.#sql('update_conversation', this.#userId(owner),
				this.#conversation(name), null, null, true);
		},
		conversation: async (step, name, ...members) => {
			const ids = members.map((member) => this.#userId(member));

			this.#conversations.set(name, await this.#instance
				.createConversation('group', name, ids));
			for (const member of members)
				await this.#joined(member, name);
		},
		add: (step, member, name) => this.#sql('add_member',
			this.#owner(name), this.#conversation(name), this.#userId(member)),
		remove: (step, member, name) => this.#sql('remove_member',
			this.#owner(name), this.#conversation(name), this.#userId(member)),
		kill: async (step, service) => {
			this.#pids.set(service, await this.#instance.kill(service));
		},
		back: (step, service) => waitFor(`${service} is back`,
			() => this.#instance.isBack(service, this.#pids.get(service)),
			{ withinMs: step.options.within ?? 60000, everyMs: 100 }),
		stop: async (step, service) => {
			await this.#instance.stopService(service);
			this.#stopped.add(service);
		},
		start: async (step, service) => {
			await this.#instance.startService(service);
			this.#stopped.delete(service);
		},
		/* Redis publishes it, and no gateway hears it. */
		swallow: (step, text) => {
			this.#swallowedBefore = this.#instance.proxy.swallowed;
			this.#instance.proxy.swallowNext(
				this.#conversations.get(text) ?? text);
		},
		swallowed: () => waitFor('a message was swallowed', () =>
			this.#instance.proxy.swallowed > this.#swallowedBefore),
		/* Until frames come through Redis again, so that they can be lost. */
		live: (step, mode) => waitFor(`the gateway is ${mode}`, async () =>
			await this.#instance.metric('gateway', 'chemchat_gateway_live') ===
				(mode === 'redis' ? 1 : 0),
		{ withinMs: step.options.within ?? 30000, everyMs: 100 }),
	};

	#swallowedBefore = 0;

	#owner(name) {
		return this.#owners.get(name);
	}

	#owners = new Map();

	async #joined(member, name) {
		const id = this.#conversation(name);

		if (!this.#owners.has(name))
			this.#owners.set(name, this.#userId(member));
		await waitFor(`${member} sees ${name}`, () => this.#person(member)
			.client.conversations().some((one) => one.id === id));
	}

	#sql(fn, ...args) {
		return this.#instance.sql(
			`SELECT * FROM chemchat.${fn}(${args.map(quote).join(', ')})`);
	}

	/* ---- psql> : the database's own way in ---- */

	#sqlVerbs = {
		send: (step, name, body) => this.#sql('send_message',
			this.#userId(step.options.by), this.#conversation(name),
			randomUUID(), body),
		/* The same in a transaction that is given up. */
		rollback: (step, name, body) => this.#instance.sql(
			`BEGIN; SELECT * FROM chemchat.send_message(${quote(
				this.#userId(step.options.by))}, ${quote(
				this.#conversation(name))}, ${quote(randomUUID())}, ${
				quote(body)}); ROLLBACK;`),
	};

	/* ---- alice> : what a person does ---- */

	#doVerbs = {
		/* Sends and awaits what comes of it: ok, duplicate, or an error. */
		send: async (step, name, body) => {
			const expected = step.options.is ?? 'ok';
			const answer = await this.#person(step.who).raw('send', {
				conversationId: this.#conversation(name), body,
				clientMsgId: step.options.as
					? this.#messageId(step.options.as) : randomUUID(),
			});
			const outcome = answer.type === 'error' ? answer.code
				: answer.isDuplicate ? 'duplicate' : 'ok';

			if (outcome !== expected)
				throw new Error(`it was ${outcome} (${answer.message ?? ''})`);
			if (step.options.as && answer.type === 'ok')
				this.#sameAnswer(`${step.who} ${step.options.as}`, answer);
		},
		/* Gives it to the library and goes on; `< sent` awaits it. */
		write: (step, name, body) => {
			this.#writes.set(`${step.who}/${body}`, this.#person(step.who)
				.client.send(this.#conversation(name), body).done);
		},
		/* On this socket, past the library: the others are told live. */
		join: (step, name) => this.#done(step, 'join', name),
		part: (step, name) => this.#done(step, 'leave', name),
		cut: (step) => this.#person(step.who).cut(),
		leave: (step) => {
			this.#person(step.who).client.close();
		},
		connect: (step) => {
			this.#person(step.who).client.connect();
		},
		/* The next live frame with this text is lost on its way. */
		lose: (step, text) => this.#person(step.who).swallowNext(
			this.#conversations.get(text) ?? text),
	};

	async #done(step, type, name) {
		const answer = await this.#person(step.who).raw(type,
			{ conversationId: this.#conversation(name) });

		if (answer.type !== 'done')
			throw new Error(`it was ${answer.code} (${answer.message ?? ''})`);
	}

	#answers = new Map();		/* sender and name -> what her first send got */

	#sameAnswer(name, { id, seq, ev }) {
		const first = this.#answers.get(name);

		if (first && (first.id !== id || first.seq !== seq || first.ev !== ev))
			throw new Error(`another message: seq ${first.seq}, now ${seq}`);
		this.#answers.set(name, { id, seq, ev });
	}

	/* ---- bob< : what a person waits for ---- */

	#waitVerbs = {
		message: async (step, name, body) => {
			const key = `${step.who}/${name}`;
			const at = this.#read.get(key) ?? 0;
			const id = this.#conversation(name);
			const next = () => this.#messages(step.who, id)[at];

			await waitFor(() => `nothing after ${at} messages`, next,
				{ withinMs: step.options.within ?? PATIENCE_MS, everyMs: 5 });
			if (next().body !== body)
				throw new Error(`the next message is ${
					JSON.stringify(next().body)}`);
			this.#read.set(key, at + 1);
		},
		sent: (step, body) => Promise.race([
			this.#known(this.#writes, `${step.who}/${body}`),
			waitFor('acknowledged', () => false,
				{ withinMs: step.options.within ?? 60000 }),
		]),
		online: (step) => waitFor('online',
			() => this.#person(step.who).isOnline,
			{ withinMs: step.options.within ?? 60000 }),
		lost: (step) => waitFor('a frame was lost',
			() => this.#person(step.who).swallowed > 0),
		removed: (step, name) => waitFor('removed', () =>
			this.#person(step.who).removedFrom.has(this.#conversation(name)),
		{ withinMs: step.options.within ?? PATIENCE_MS }),
		added: (step, name) => waitFor('added', () =>
			this.#person(step.who).client.conversations()
				.some((one) => one.id === this.#conversation(name)),
		{ withinMs: step.options.within ?? PATIENCE_MS }),
	};

	/* ---- bob! : what must be so now ---- */

	#assertVerbs = {
		/* No message of it that was not taken by `< message`. */
		nothing: (step, name) => {
			const rest = this.#messages(step.who, this.#conversation(name))
				.slice(this.#read.get(`${step.who}/${name}`) ?? 0);

			if (rest.length)
				throw new Error(`there is ${JSON.stringify(rest[0].body)}`);
		},
		/* The history the server gives is what this person has seen. */
		history: async (step, name) => {
			const id = this.#conversation(name);
			const history = await this.#person(step.who).client
				.history(id, { maxRows: 200 });
			const seen = this.#messages(step.who, id);
			const listed = (events) => JSON.stringify(
				events.map((event) => [event.seq, event.body]));

			if (listed(history.toReversed?.() ?? [...history].reverse()) !==
				listed(seen))
				throw new Error(`history ${listed(history)}, seen ${listed(seen)}`);
		},
		/* No history, no changes, no send: it is as if it were not there. */
		stranger: async (step, name) => {
			const conversationId = this.#conversation(name);
			const person = this.#person(step.who);

			for (const [type, fields] of [['history', {}],
				['changes', { afterEv: 0 }],
				['send', { clientMsgId: randomUUID(), body: 'let me in' }]]) {
				const answer = await person.raw(type,
					{ conversationId, ...fields });

				if (answer.code !== 'not_found')
					throw new Error(`${type}: ${answer.code ?? 'answered'}`);
			}
		},
		noreset: (step) => {
			if (this.#person(step.who).resets.length)
				throw new Error('it was reset');
		},
	};
}
