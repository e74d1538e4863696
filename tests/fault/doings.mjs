/*
 * doings - what people do beside sending through the library
 *
 * Edits, deletions, reactions and cursors over the WebSocket and over REST,
 * messages over REST and from SQL, some of those rolled back.  Whatever was
 * acknowledged is kept for the oracle: `deeds`, and messages in `acks` and
 * `refusals` as the library's are.
 *
 * A REST request is repeated, the same, until it is answered; each says how
 * things are to be.
 */

import { randomUUID } from 'node:crypto';
import { quote } from '../lib/instance.mjs';
import { sleep } from '../lib/wait.mjs';

const KEPT = 400;				/* messages that something is done to */
const RETRY_MS = 300;
const REQUEST_MS = 15000;
const EMOJI = ['👍', '⚗️', '🔥'];
const PASSING = new Set([429, 502, 503, 504]);

export class Doings {
	acks = [];
	refusals = [];
	deeds = [];
	marks = new Map();			/* "user/conversation" -> readSeq, by the library */
	counts = {};
	failures = [];
	#instance;
	#random;
	#conversations;
	#messages = [];				/* {conversation, sender, seq} */
	#asked = new Map();			/* REST requests -> their last answer */
	#underWay = new Map();		/* promise -> what it is */

	constructor({ instance, random, conversations }) {
		this.#instance = instance;
		this.#random = random;
		this.#conversations = conversations;
	}

	/* An acknowledged message: something may be done to it. */
	knows(conversation, sender, seq) {
		this.#messages.push({ conversation, sender, seq });
		if (this.#messages.length > KEPT)
			this.#messages.splice(0, this.#messages.length - KEPT);
	}

	/* One of it all, begun; `idle` waits for the end of what was begun. */
	begin() {
		const doings = [this.#edit, this.#edit, this.#delete, this.#react,
			this.#react, this.#mark, this.#mark, this.#sendByRest, this.#sendBySql];
		const what = this.#pick(doings);
		const doing = what.call(this).catch((error) => {
			this.#count(`refused ${error.code}`);
			if (!error.code)			/* not a refusal: a mistake of ours */
				this.failures.push(error.stack);
		}).finally(() => this.#underWay.delete(doing));

		this.#underWay.set(doing, what.name);
	}

	async idle() {
		await Promise.all(this.#underWay.keys());
	}

	/* What is not answered yet, how often, and of REST the last answers. */
	pending() {
		const counts = {};

		for (const what of this.#underWay.values())
			counts[what] = (counts[what] ?? 0) + 1;
		return { count: this.#underWay.size, counts,
			rest: [...this.#asked.values()] };
	}

	#pick(list) {
		return list[Math.floor(this.#random() * list.length)];
	}

	#count(name) {
		this.counts[name] = (this.counts[name] ?? 0) + 1;
	}

	#did(deed) {
		this.#count(deed.what);
		this.deeds.push(deed);
	}

	get #isByRest() {
		return this.#random() < 0.5;
	}

	/* ---- to a message that is there ---- */

	async #edit() {
		const one = this.#pick(this.#messages);

		if (!one)
			return;
		const { conversation: { id }, sender, seq } = one;
		const body = `edited ${randomUUID()}`;
		const { ev, rev } = this.#isByRest
			? await this.#rest(sender, 'PUT',
				`/v1/conversations/${id}/messages/${seq}`, { body })
			: await sender.client.edit(id, seq, body);

		this.#did({ what: 'edit', conversationId: id, seq, ev, rev, body,
			userId: sender.userId });
	}

	async #delete() {
		if (this.#random() < 0.5 || this.#messages.length === 0)
			return;				/* not too many */
		const [{ conversation: { id }, sender, seq }] = this.#messages.splice(
			Math.floor(this.#random() * this.#messages.length), 1);
		const { ev, rev } = this.#isByRest
			? await this.#rest(sender, 'DELETE',
				`/v1/conversations/${id}/messages/${seq}`)
			: await sender.client.delete(id, seq);

		this.#did({ what: 'delete', conversationId: id, seq, ev, rev,
			userId: sender.userId });
	}

	async #react() {
		const one = this.#pick(this.#messages);

		if (!one)
			return;
		const { conversation: { id, members }, seq } = one;
		const person = this.#pick(members);
		const emoji = this.#pick(EMOJI);
		const isOn = this.#random() < 0.7;
		const { ev, rev } = this.#isByRest
			? await this.#rest(person, isOn ? 'PUT' : 'DELETE',
				`/v1/conversations/${id}/messages/${seq}/reactions/${
					encodeURIComponent(emoji)}`)
			: await person.client.react(id, seq, emoji, isOn);

		if (rev > 0)				/* taking away what never was writes nothing */
			this.#did({ what: 'react', conversationId: id, seq, ev, rev, emoji,
				isOn, userId: person.userId });
	}

	async #mark() {
		const one = this.#pick(this.#messages);

		if (!one)
			return;
		const { conversation: { id, members }, seq } = one;
		const person = this.#pick(members);
		const key = `${person.userId}/${id}`;

		if (!this.#isByRest) {
			person.client.mark(id, { readSeq: seq });
			this.marks.set(key, Math.max(seq, this.marks.get(key) ?? 0));
			return;
		}
		const { rev } = await this.#rest(person, 'POST',
			`/v1/conversations/${id}/cursor`, { readSeq: seq });

		this.#did({ what: 'mark', conversationId: id, readSeq: seq, rev,
			userId: person.userId });
	}

	/* ---- new messages ---- */

	#newMessage(how) {
		const conversation = this.#pick(this.#conversations);
		const person = this.#pick(conversation.members);
		const clientMsgId = randomUUID();

		return { conversation, person, body: `${how} ${clientMsgId}`,
			about: { conversationId: conversation.id, clientMsgId,
				sender: person.userId } };
	}

	#acknowledged({ conversation, person, body, about }, { id, seq, ev }) {
		this.acks.push({ ...about, body, id, seq, ev });
		this.knows(conversation, person, seq);
	}

	async #sendByRest() {
		const made = this.#newMessage('by REST');
		const { person, body, about } = made;

		try {
			this.#acknowledged(made, await this.#rest(person, 'POST',
				`/v1/conversations/${about.conversationId}/messages`, { body },
				{ 'idempotency-key': about.clientMsgId }));
			this.#count('send by REST');
		} catch (error) {
			if (!error.code)
				throw error;
			this.refusals.push({ ...about, code: error.code });
		}
	}

	/* In somebody's own transaction; psql says whether it was committed. */
	async #sendBySql() {
		const made = this.#newMessage('by SQL');
		const { body, about } = made;
		const isKept = this.#random() < 0.7;
		const text = `BEGIN; SELECT json_build_object('id', id, 'seq', seq,
			'ev', ev) FROM chemchat.send_message(${quote(about.sender)},
			${quote(about.conversationId)}, ${quote(about.clientMsgId)},
			${quote(body)}); ${isKept ? 'COMMIT' : 'ROLLBACK'};`;

		try {
			const answer = JSON.parse(await this.#instance.sql(text));

			if (isKept)
				this.#acknowledged(made, answer);
			this.#count(isKept ? 'send by SQL' : 'rollback');
		} catch {
			this.#count('SQL without an answer');
		}
		if (!isKept)
			this.refusals.push({ ...about, code: 'rolled back' });
	}

	/* ---- REST ---- */

	/* The answer's body; throws {code} for a definite refusal. */
	async #rest(person, method, path, body, headers = {}) {
		const asked = {};

		try {
			return await this.#ask(asked, person, method, path, body, headers);
		} finally {
			this.#asked.delete(asked);
		}
	}

	async #ask(asked, person, method, path, body, headers) {
		for (;;) {
			const answer = await fetch(
				`${this.#instance.env.CHEMCHAT_URL}${path}`, {
					method,
					headers: { authorization: `Bearer ${person.token}`,
						...(body ? { 'content-type': 'application/json' } : {}),
						...headers },
					body: body && JSON.stringify(body),
					signal: AbortSignal.timeout(REQUEST_MS),
				}).then(async (response) => ({ status: response.status,
				...(await response.json()) })).catch(() => null);

			if (answer && answer.status < 300)
				return answer;
			if (answer && !PASSING.has(answer.status))
				throw Object.assign(new Error(JSON.stringify(answer)),
					{ code: answer.code ?? `HTTP ${answer.status}` });
			this.#asked.set(asked, `${person.name} ${method} ${path}: ${
				answer ? `${answer.status} ${answer.code}` : 'no answer'}`);
			await sleep(answer?.retryAfterMs ?? RETRY_MS);
		}
	}
}
