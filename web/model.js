/*
 * model - what the page knows
 *
 * Conversations, their messages, people; fed with events in any order and any
 * number of times: of each entity the highest rev stays.  Pure: no DOM, no
 * socket; what should outlive the page is read and set through `seen`.
 */

const GROUP_GAP_MS = 5 * 60 * 1000;

export class Model {
	#conversations = new Map();
	#people = new Map();		/* userId -> user event */
	#seen;						/* conversationId -> seq the reader has seen */
	me = null;
	isOnline = false;
	unsent = [];				/* the outbox, oldest first */

	constructor({ seen = {} } = {}) {
		this.#seen = { ...seen };
	}

	/* ---- fed by the protocol ---- */

	putConversation(head) {
		const known = this.#conversation(head.id);

		Object.assign(known, head, { isMember: true });
		known.seq = Math.max(known.seq, known.last?.seq ?? 0);
	}

	removeConversation(id) {
		this.#conversations.delete(id);
	}

	/* What was held may be another history's: keep who is in it, no more. */
	reset(id) {
		for (const known of id ? [this.#conversation(id)]
			: this.#conversations.values()) {
			known.messages = new Map();
			known.last = null;
			known.seq = 0;
			known.isLoaded = false;
			known.hasOldest = false;
		}
	}

	apply(event) {
		switch (event.kind) {
			case 'message':
				this.#putMessage(event);
				break;
			case 'conversation':
				Object.assign(this.#conversation(event.conversationId),
					{ title: event.title, kind: event.type });
				break;
			case 'member':
				this.#putMember(event);
				break;
			case 'user':
				this.#putPerson(event);
				break;
			default:
		}
	}

	/* A page of history, newest first, as asked with `maxRows`. */
	putHistory(id, events, maxRows) {
		const known = this.#conversation(id);

		for (const event of events)
			this.#putMessage(event);
		known.isLoaded = true;
		known.hasOldest = events.length < maxRows || events.at(-1).seq === 1;
	}

	#putMessage(event) {
		const known = this.#conversation(event.conversationId);
		const held = known.messages.get(event.id);

		if (held && held.rev >= event.rev)
			return;
		known.messages.set(event.id,
			{ ...event, atMs: Date.parse(event.createdAt) });
		known.seq = Math.max(known.seq, event.seq);
		if (event.seq >= (known.last?.seq ?? 0))
			known.last = known.messages.get(event.id);
	}

	#putMember(event) {
		const known = this.#conversation(event.conversationId);
		const held = known.members.get(event.userId);

		if (!held || held.rev < event.rev)
			known.members.set(event.userId, event);
	}

	#putPerson(event) {
		const held = this.#people.get(event.userId);

		if (!held || held.rev < event.rev)
			this.#people.set(event.userId, event);
	}

	#conversation(id) {
		if (!this.#conversations.has(id))
			this.#conversations.set(id, {
				id, kind: 'group', title: null, seq: 0, readSeq: 0,
				isMember: false, isLoaded: false, hasOldest: false,
				messages: new Map(), members: new Map(), last: null,
			});
		return this.#conversations.get(id);
	}

	/* ---- asked by the views ---- */

	conversation(id) {
		const known = this.#conversations.get(id);

		return known?.isMember ? known : undefined;
	}

	/* The one with the newest message first. */
	conversations() {
		return [...this.#conversations.values()]
			.filter((known) => known.isMember)
			.sort((a, b) => this.#touchedMs(b) - this.#touchedMs(a) ||
				this.titleOf(a).localeCompare(this.titleOf(b)));
	}

	#touchedMs(known) {
		const unsent = this.unsent
			.findLast((entry) => entry.conversationId === known.id);

		return Math.max(known.last?.atMs ?? 0, unsent?.createdAtMs ?? 0);
	}

	nameOf(userId) {
		const person = this.#people.get(userId);

		return person?.displayName || person?.handle || '';
	}

	handleOf(userId) {
		return this.#people.get(userId)?.handle ?? '';
	}

	/* People who are seen somewhere and whose names are not known. */
	strangers() {
		const ids = new Set(this.me ? [this.me] : []);

		for (const known of this.#conversations.values()) {
			for (const message of known.messages.values())
				ids.add(message.sender);
			if (known.kind === 'direct')
				known.members.forEach((member) => ids.add(member.userId));
		}
		return [...ids].filter((id) => !this.#people.has(id));
	}

	/* The other one of a conversation of two, as far as we have seen. */
	peerOf(known) {
		if (known.kind !== 'direct')
			return undefined;
		const ids = [...known.members.keys(),
			...[...known.messages.values()].map((message) => message.sender)];

		return ids.find((id) => id !== this.me);
	}

	titleOf(known) {
		const peer = this.peerOf(known);

		return known.title || (peer && this.nameOf(peer)) ||
			(known.kind === 'direct' ? 'Direct message' : 'Untitled');
	}

	unread(known) {
		const seen = Math.max(this.#seen[known.id] ?? 0, known.readSeq);

		return Math.max(0, known.seq - seen);
	}

	markSeen(id) {
		const known = this.#conversations.get(id);

		if (!known || known.seq <= (this.#seen[id] ?? 0))
			return false;
		this.#seen[id] = known.seq;
		return true;
	}

	get seen() {
		return this.#seen;
	}

	oldestSeq(id) {
		let oldest = Infinity;

		for (const message of this.#conversation(id).messages.values())
			oldest = Math.min(oldest, message.seq);
		return oldest === Infinity ? undefined : oldest;
	}

	/*
	 * The rows of a conversation from top to bottom: messages in the order
	 * of their seq, then what is unsent.  A row is {key, isOwn, sender, body,
	 * atMs, state, opens, closes}: `opens` and `closes` say whether it begins
	 * and ends a run of one sender; the day changes where `opensDay`.
	 */
	rows(id, startOfDay) {
		const known = this.#conversation(id);
		const sent = [...known.messages.values()]
			.sort((a, b) => a.seq - b.seq);
		const confirmed = new Set(sent
			.filter((message) => message.sender === this.me)
			.map((message) => message.clientMsgId));
		const rows = sent.map((message) => ({
			/* A message that was pending keeps its element. */
			key: message.sender === this.me
				? `own/${message.clientMsgId}` : message.id,
			isOwn: message.sender === this.me, sender: message.sender,
			body: message.body, atMs: message.atMs, state: 'sent',
			seq: message.seq,
		}));

		for (const entry of this.unsent) {
			if (entry.conversationId === id && !confirmed.has(entry.clientMsgId))
				rows.push({
					key: `own/${entry.clientMsgId}`, isOwn: true,
					sender: this.me, body: entry.body, atMs: entry.createdAtMs,
					state: entry.state === 'failed' ? 'failed' : 'pending',
					clientMsgId: entry.clientMsgId, error: entry.error,
				});
		}
		rows.forEach((row, i) => {
			const before = rows[i - 1];

			row.opensDay = !before ||
				startOfDay(before.atMs) !== startOfDay(row.atMs);
			row.opens = row.opensDay || before.sender !== row.sender ||
				row.atMs - before.atMs > GROUP_GAP_MS;
			row.closes = true;
			if (before && !row.opens)
				before.closes = before.state !== row.state;
		});
		return rows;
	}
}
