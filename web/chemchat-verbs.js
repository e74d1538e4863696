/*
 * chemchat-verbs - everything a person can do besides sending
 *
 * One method per request of docs/protocol.md, each a promise of its answer.
 * A request is repeated, over connections too, until something answers it;
 * all of them say how things are to be, none "once more", so repeating is
 * harmless.  Writes into one conversation go one after the other: what was
 * asked last is what stands.
 *
 * ChemChat extends this and brings `ask(type, fields)`; nothing here knows
 * of sockets.
 */

const USERS_AT_ONCE = 200;
const REACTIONS_OF_A_PAGE = 100;	/* of one message, with its page */

export class Verbs {
	#writes = new Map();		/* conversation or person -> the last write */

	/* ---- messages: addressed by conversation and seq ---- */

	/** A new body for one's own message; resolves to {seq, ev, rev, editedAt}. */
	edit(conversationId, seq, body, { expectedRev } = {}) {
		return this.#write(conversationId, 'edit',
			{ conversationId, seq, body, expectedRev });
	}

	/** Leaves a tombstone without text. */
	delete(conversationId, seq) {
		return this.#write(conversationId, 'delete', { conversationId, seq });
	}

	/** Puts one's own reaction there or takes it away. */
	react(conversationId, seq, emoji, isOn = true) {
		return this.#write(conversationId, 'react',
			{ conversationId, seq, emoji, isOn });
	}

	/** Earlier bodies, oldest first: [{rev, body, writtenAt}]; at most 200. */
	revisions(conversationId, seq, { afterRev } = {}) {
		return this.ask('revisions', { conversationId, seq, afterRev })
			.then((frame) => frame.revisions);
	}

	/**
	 * A page of `message` events, newest first, older than `beforeSeq`; with
	 * `afterSeq` oldest first from there.  Resolves to {events, reactions}.
	 */
	page(conversationId, { beforeSeq, afterSeq, maxRows = 50 } = {}) {
		return this.ask('history',
			{ conversationId, maxRows, beforeSeq, afterSeq })
			.then((frame) => this.#withReactions(conversationId, frame));
	}

	/** `message` events, newest first, older than `beforeSeq` if given. */
	history(conversationId, options = {}) {
		return this.page(conversationId, options).then(({ events }) => events);
	}

	/** The replies under the message `thread`, newest first: as page(). */
	thread(conversationId, thread, { beforeSeq, maxRows = 50 } = {}) {
		return this.ask('thread',
			{ conversationId, seq: thread, beforeSeq, maxRows })
			.then((frame) => this.#withReactions(conversationId, frame));
	}

	/* The first hundred of each message come with it; here are the others. */
	async #withReactions(conversationId, { events, reactions = [] }) {
		const counts = new Map();

		for (const { seq } of reactions)
			counts.set(seq, (counts.get(seq) ?? 0) + 1);
		for (const [seq, count] of counts) {
			if (count < REACTIONS_OF_A_PAGE)
				continue;
			let next = reactions.filter((one) => one.seq === seq).at(-1).ev;

			while (next !== undefined) {
				const page = await this.ask('reactions', { conversationId, seq,
					afterEv: next, maxRows: 1000 });

				reactions = [...reactions, ...page.reactions];
				next = page.next;
			}
		}
		return { events, reactions };
	}

	/** Messages that name the user, newest first. */
	mentions({ before, maxRows = 50 } = {}) {
		return this.ask('mentions', { before, maxRows })
			.then((frame) => frame.events);
	}

	/**
	 * Events after `afterEv` as they now are, for an app that wants to look
	 * further back than `since`; the order of `events` is not touched.
	 */
	changes(conversationId, { afterEv, maxRows = 200 }) {
		return this.ask('changes', { conversationId, afterEv, maxRows });
	}

	/* ---- conversations ---- */

	/** {event, member}: a conversation, and what we are in it. */
	conversation(conversationId) {
		return this.ask('conversation', { conversationId });
	}

	/**
	 * A new conversation of which the actor is owner; a direct one is that of
	 * the two if there is one.  Resolves to {conversationId, isDuplicate}.
	 */
	create({ kind, title, topic, isPublic, members = [], conversationId }) {
		return this.#write('create', 'create', { kind, title, topic, isPublic,
			members, conversationId: kind === 'direct' ? undefined
				: conversationId ?? newId() });
	}

	/** Changes what is given: {title, topic, isPublic, isArchived}. */
	update(conversationId, { title, topic, isPublic, isArchived }) {
		return this.#write(conversationId, 'update',
			{ conversationId, title, topic, isPublic, isArchived });
	}

	/** `member` events, by user id. */
	members(conversationId, { after, maxRows = 200 } = {}) {
		return this.ask('members', { conversationId, after, maxRows })
			.then((frame) => frame.members);
	}

	addMember(conversationId, userId, role) {
		return this.#write(conversationId, 'add',
			{ conversationId, userId, role });
	}

	removeMember(conversationId, userId) {
		return this.#write(conversationId, 'remove', { conversationId, userId });
	}

	setRole(conversationId, userId, role) {
		return this.#write(conversationId, 'role',
			{ conversationId, userId, role });
	}

	invite(conversationId, userId, role) {
		return this.#write(conversationId, 'invite',
			{ conversationId, userId, role });
	}

	/** A public channel, or one that the user was invited to. */
	join(conversationId) {
		return this.#write(conversationId, 'join', { conversationId });
	}

	/** Also declines an invitation. */
	leave(conversationId) {
		return this.#write(conversationId, 'leave', { conversationId });
	}

	/** Public channels: [{conversationId, title, topic, members, isMember}]. */
	channels({ query, after, maxRows = 50 } = {}) {
		return this.ask('channels', { query: query || undefined, after, maxRows })
			.then((frame) => frame.channels);
	}

	/** [{conversationId, kind, title, invitedBy, invitedAt}] */
	invitations() {
		return this.ask('invitations').then((frame) => frame.invitations);
	}

	/** [{userId, readSeq, deliveredSeq, rev}]: who has read how far. */
	cursors(conversationId) {
		return this.ask('cursors', { conversationId })
			.then((frame) => frame.cursors);
	}

	/* ---- oneself and others ---- */

	/** {isMuted, mutedUntil, notify: 'all'|'mentions'|'none'}: what is given. */
	setPreference(conversationId, { isMuted, mutedUntil, notify }) {
		return this.#write(conversationId, 'preference',
			{ conversationId, isMuted, mutedUntil, notify });
	}

	/** Blocks somebody, or no longer. */
	block(userId, isOn = true) {
		return this.#write(userId, isOn ? 'block' : 'unblock', { userId });
	}

	/** One's own `user`, `preference`, `cursor` and `block` events. */
	me() {
		return this.ask('state').then((frame) => frame.events);
	}

	setProfile({ displayName }) {
		return this.#write('profile', 'profile', { displayName });
	}

	/** `user` events of those ids the server lets us know. */
	async users(ids) {
		const asked = [];

		for (let at = 0; at < ids.length; at += USERS_AT_ONCE)
			asked.push(this.ask('users',
				{ ids: ids.slice(at, at + USERS_AT_ONCE) }));
		return (await Promise.all(asked)).flatMap((frame) => frame.users);
	}

	/** `user` events of people whose handle or name begins so. */
	findUsers(query, { maxRows = 20 } = {}) {
		return this.ask('find', { query, maxRows })
			.then((frame) => frame.users);
	}

	/* After the one before it, whatever became of that. */
	#write(key, type, fields) {
		const before = this.#writes.get(key);
		const mine = (before ? before.catch(() => {}) : Promise.resolve())
			.then(() => this.ask(type, fields));
		const forget = () => {
			if (this.#writes.get(key) === mine)
				this.#writes.delete(key);
		};

		this.#writes.set(key, mine);
		mine.then(forget, forget);
		return mine;
	}
}

/** A random UUID; crypto.randomUUID() exists on secure pages only. */
export function newId() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));

	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
		.join('');

	return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16),
		hex.slice(16, 20), hex.slice(20)].join('-');
}
