/*
 * model - what the page knows
 *
 * Conversations, their messages, people; fed with events in any order and any
 * number of times: of each entity the highest rev stays.  Of a conversation's
 * messages a window `lo..hi` of seqs is shown (timeline.js); others may be
 * held beside it.  Pure: no DOM, no socket.
 */

import { place } from './place.js';

const NOTIFY_DEFAULT = 'all';

export class Model {
	#places = new Map();		/* id -> place.js */
	#people = new Map();		/* userId -> user event */
	#handles = new Set();
	#blocks = new Map();		/* blockedId -> block event of ours */
	#strangers = new Set();		/* seen somewhere, names not known */
	#list = null;				/* conversations(), until something changes */
	#me = null;
	#unsent = [];
	isOnline = false;
	edits = null;				/* edits.js: what is not saved */

	constructor({ me = null } = {}) {
		this.me = me;
	}

	get me() {
		return this.#me;
	}

	set me(userId) {
		this.#me = userId;
		if (userId)
			this.#meet(userId);
	}

	/* The outbox, oldest first. */
	get unsent() {
		return this.#unsent;
	}

	set unsent(entries) {
		this.#unsent = entries;
		this.#list = null;
	}

	/* ---- fed by the protocol ---- */

	/* What `heads` says of a conversation. */
	putConversation({ ev, seq, readSeq = 0, deliveredSeq = 0, lastAt, ...head }) {
		const known = this.#place(head.id);

		known.isPreviewStale = known.isPreviewStale || ev !== known.headEv;
		known.headEv = ev;
		Object.assign(known, { title: undefined, topic: undefined,
			archivedAt: undefined, isPublic: false, mutedUntil: undefined,
			notify: NOTIFY_DEFAULT, ...head, isMember: true });
		known.seq = Math.max(known.seq, seq);
		known.readSeq = Math.max(known.readSeq, readSeq);
		known.deliveredSeq = Math.max(known.deliveredSeq, deliveredSeq);
		known.mentionsUpto = known.seq;
		known.mentionSeqs.clear();
		known.lastAtMs = Date.parse(lastAt) || known.lastAtMs;
		if (head.otherId)
			this.#meet(head.otherId);
		this.#list = null;
	}

	removeConversation(id) {
		this.#places.delete(id);
		this.#list = null;
	}

	/* What was held may be another history's: keep who is in it, no more. */
	reset(id) {
		for (const known of id ? [this.#place(id)] : this.#places.values())
			known.forget();
		this.#list = null;
	}

	apply(event) {
		switch (event.kind) {
			case 'message':
				this.#putMessage(event);
				break;
			case 'conversation':
				this.#putTitle(event);
				break;
			case 'member':
				this.#putMember(event);
				break;
			case 'reaction':
				this.#place(event.conversationId).putReaction(event);
				this.#meet(event.userId);
				break;
			case 'user':
				this.#putPerson(event);
				break;
			case 'cursor':
				this.#putCursor(event);
				break;
			case 'preference':
				this.#putPreference(event);
				break;
			case 'block':
				if (!(this.#blocks.get(event.blockedId)?.rev >= event.rev))
					this.#blocks.set(event.blockedId, event);
				this.#meet(event.blockedId);
				break;
			default:	/* a newer server's */
		}
	}

	/*
	 * A page of messages in any order, as asked: `beforeSeq` or `afterSeq`
	 * goes on at an end of the window, none of them starts it at the head,
	 * `isJump` starts it anywhere.
	 */
	putPage(id, { events, reactions = [] }, asked) {
		const known = this.#place(id);

		for (const event of events)
			this.#putMessage(event);
		for (const event of reactions)
			this.apply(event);
		known.extend(events.map((event) => event.seq), asked);
	}

	#putMessage(event) {
		const known = this.#place(event.conversationId);

		if (!known.putMessage(event))
			return;
		this.#meet(event.sender);
		if (known.last.seq === event.seq)
			this.#list = null;
		if (event.sender === this.#me)
			known.ownSeqs.set(event.clientMsgId, event.seq);
		if (this.isNamed(event) && event.seq > known.mentionsUpto &&
			event.seq > known.readSeq)
			known.mentionSeqs.add(event.seq);
		else
			known.mentionSeqs.delete(event.seq);
	}

	#putTitle(event) {
		const known = this.#place(event.conversationId);

		if (known.rev >= event.rev)
			return;
		Object.assign(known, { rev: event.rev, kind: event.type,
			title: event.title, topic: event.topic,
			isPublic: event.isPublic ?? false, archivedAt: event.archivedAt });
		known.lastAtMs ||= Date.parse(event.createdAt) || 0;
		this.#list = null;
	}

	#putMember(event) {
		const known = this.#place(event.conversationId);
		const held = known.members.get(event.userId);

		if (held && held.rev >= event.rev)
			return;
		known.members.set(event.userId, event);
		if (event.userId === this.#me && event.state === 'joined')
			known.role = event.role;
		if (event.state !== 'removed')
			this.#meet(event.userId);
	}

	#putPerson(event) {
		const held = this.#people.get(event.userId);

		if (held && held.rev >= event.rev)
			return;
		this.#people.set(event.userId, event);
		this.#handles.add(event.handle);
		this.#strangers.delete(event.userId);
		this.#list = null;
	}

	#putCursor(event) {
		const known = this.#places.get(event.conversationId);
		const held = known?.cursors.get(event.userId);

		if (!known || (held && held.rev >= event.rev))
			return;
		known.cursors.set(event.userId, event);
		if (event.userId === this.#me)
			this.markRead(known.id, event.readSeq);
	}

	#putPreference(event) {
		const known = this.#places.get(event.conversationId);

		if (!known || known.preferenceRev >= event.rev)
			return;
		Object.assign(known, { preferenceRev: event.rev,
			isMuted: event.isMuted, mutedUntil: event.mutedUntil,
			notify: event.notify ?? NOTIFY_DEFAULT });
	}

	#meet(userId) {
		if (!this.#people.has(userId))
			this.#strangers.add(userId);
	}

	#place(id) {
		if (!this.#places.has(id))
			this.#places.set(id, place(id));
		return this.#places.get(id);
	}

	/* ---- asked by the views ---- */

	conversation(id) {
		const known = this.#places.get(id);

		return known?.isMember ? known : undefined;
	}

	/* The one with the newest message first. */
	conversations() {
		if (!this.#list) {
			const unsentMs = new Map(this.#unsent.map((entry) =>
				[entry.conversationId, entry.createdAtMs]));
			const touchedMs = (known) => Math.max(known.last?.atMs ?? 0,
				known.lastAtMs, unsentMs.get(known.id) ?? 0);

			this.#list = [...this.#places.values()]
				.filter((known) => known.isMember)
				.map((known) => ({ known, atMs: touchedMs(known),
					title: this.titleOf(known) }))
				.sort((a, b) => b.atMs - a.atMs ||
					(a.title < b.title ? -1 : a.title > b.title ? 1 : 0))
				.map(({ known }) => known);
		}
		return this.#list;
	}

	person(userId) {
		return this.#people.get(userId);
	}

	people() {
		return [...this.#people.values()];
	}

	nameOf(userId) {
		const person = this.#people.get(userId);

		return person?.displayName || person?.handle || '';
	}

	handleOf(userId) {
		return this.#people.get(userId)?.handle ?? '';
	}

	hasHandle(handle) {
		return this.#handles.has(handle);
	}

	strangers() {
		return [...this.#strangers];
	}

	isBlocked(userId) {
		return this.#blocks.get(userId)?.state === 'on';
	}

	blocked() {
		return [...this.#blocks.keys()].filter((id) => this.isBlocked(id));
	}

	/* The other one of a conversation of two, as far as we have seen. */
	peerOf(known) {
		return known.kind === 'direct' ? known.peer(this.#me) : undefined;
	}

	titleOf(known) {
		const peer = this.peerOf(known);

		return known.title || (peer && this.nameOf(peer)) ||
			(known.kind === 'direct' ? 'Direct message' : 'Untitled');
	}

	isNamed(message) {
		return message.sender !== this.#me &&
			(message.mentions?.includes(this.#me) ||
			message.mentions?.includes('*')) === true;
	}

	isSilent(known, nowMs = Date.now()) {
		return known.isMuted ? !known.mutedUntil ||
			Date.parse(known.mutedUntil) > nowMs : false;
	}

	unread(known) {
		return Math.max(0, known.seq - known.readSeq);
	}

	/* Of those the ones that the reader wants to be told of. */
	noticed(known) {
		if (this.isSilent(known) || known.notify === 'none')
			return 0;
		return known.notify === 'mentions' ? this.mentions(known)
			: this.unread(known);
	}

	mentions(known) {
		return this.unread(known) === 0 ? 0
			: known.mentions + known.mentionSeqs.size;
	}

	/* True when that is news. */
	markRead(id, seq) {
		const known = this.#places.get(id);

		if (!known || seq <= known.readSeq)
			return false;
		known.readSeq = seq;
		if (seq >= known.mentionsUpto)
			known.mentions = 0;
		for (const named of known.mentionSeqs) {
			if (named <= seq)
				known.mentionSeqs.delete(named);
		}
		return true;
	}

	/* How far the others are: {read, delivered, others}. */
	receipts(known, seq) {
		let read = 0, delivered = 0;

		for (const cursor of known.cursors.values()) {
			if (cursor.userId === this.#me || !known.isIn(cursor.userId))
				continue;
			read += Number(cursor.readSeq >= seq);
			delivered += Number(Math.max(cursor.deliveredSeq ?? 0,
				cursor.readSeq) >= seq);
		}
		const others = known.kind === 'direct' ? 1 : known.others(this.#me);

		return { read, delivered, others: Math.max(others, read, delivered) };
	}

	/* ---- an earlier life of the page (store.js) ---- */

	exported(id, ev) {
		const known = this.#places.get(id);

		return known?.isMember ? known.exported(ev) : undefined;
	}

	restore({ conversations, people }) {
		for (const person of people)
			this.#putPerson(person);
		for (const kept of conversations) {
			const known = this.#place(kept.id);

			known.restore(kept);
			for (const message of known.messages.values())
				this.#meet(message.sender);
			if (kept.otherId)
				this.#meet(kept.otherId);
			for (const [seq, message] of known.messages) {
				if (message.sender === this.#me)
					known.ownSeqs.set(message.clientMsgId, seq);
			}
		}
		this.#list = null;
	}
}
