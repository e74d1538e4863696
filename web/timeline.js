/*
 * timeline - the rows of a conversation, made one at a time when looked at
 *
 * A hundred thousand messages cost nothing until they are in sight: seqs are
 * dense, so the row at `i` is the message `lo + i`, and what surrounds a row
 * is looked up beside it.  Behind the last message stands what is unsent.
 *
 * A row: {key, seq, isOwn, sender, body, atMs, state, opens, closes, opensDay,
 * opensUnread, replyTo, thread, replies, reactions, editedAt, isNamed, edit};
 * state is sent, deleted, pending, failed or missing (a hole nothing will
 * fill); `edit` is another text of it that is not saved (edits.js).
 * `opens` and `closes`: it begins, ends a run of one sender.
 */

const RUN_GAP_MS = 5 * 60 * 1000;
const LINES_MOST = 14;		/* longer ones are folded (format.js) */

export class Timeline {
	#model;
	#known;
	#lo;						/* the window as it was when this was made: */
	#hi;						/* where a row was must be known as it grows */
	#startOfDay;
	#unreadAfter;
	#unsent;

	/* `unreadAfter`: the seq behind which the line "New" stands, or null. */
	constructor(model, known, { startOfDay, unreadAfter = null }) {
		this.#model = model;
		this.#known = known;
		this.#lo = known.lo;
		this.#hi = known.hi;
		this.#startOfDay = startOfDay;
		this.#unreadAfter = unreadAfter;
		this.#unsent = known.isDetached ? [] : model.unsent.filter((entry) =>
			entry.conversationId === known.id &&
			!known.ownSeqs.has(entry.clientMsgId));
	}

	get #sent() {
		return this.#hi - this.#lo + 1;
	}

	get count() {
		return this.#sent + this.#unsent.length;
	}

	key(i) {
		const message = this.#message(i);

		if (i >= this.#sent)
			return `own/${this.#unsent[i - this.#sent].clientMsgId}`;
		/* A message that was pending keeps its element. */
		return message?.sender === this.#model.me
			? `own/${message.clientMsgId}` : `seq/${this.#lo + i}`;
	}

	indexOf(key) {
		const [kind, id] = [key.slice(0, 3), key.slice(4)];
		const seq = kind === 'seq' ? Number(id) : this.#known.ownSeqs.get(id);

		if (seq !== undefined)
			return this.indexOfSeq(seq);
		const at = this.#unsent.findIndex((entry) => entry.clientMsgId === id);

		return at < 0 ? -1 : this.#sent + at;
	}

	indexOfSeq(seq) {
		return seq >= this.#lo && seq <= this.#hi ? seq - this.#lo : -1;
	}

	/* Roughly how many lines it takes; exact once it has been drawn. */
	lines(i) {
		const { body = '' } = this.#message(i) ?? this.#unsent[i - this.#sent] ??
			{};
		let lines = Math.ceil(body.length / 58) || 1;

		for (let at = body.indexOf('\n'); at >= 0 && lines < LINES_MOST;
			at = body.indexOf('\n', at + 1))
			lines++;
		return Math.min(lines, LINES_MOST);
	}

	row(i) {
		const row = this.#bare(i);
		const before = i > 0 ? this.#bare(i - 1) : undefined;
		const after = i + 1 < this.count ? this.#bare(i + 1) : undefined;

		row.opensDay = this.#newDay(before, row);
		row.opensUnread = row.seq !== undefined &&
			this.#unreadAfter !== null && row.seq === this.#unreadAfter + 1;
		row.opens = this.#newRun(before, row) || row.opensUnread;
		row.closes = !after || this.#newRun(row, after) ||
			after.seq === this.#unreadAfter + 1 ||
			after.state !== row.state;
		return row;
	}

	#message(i) {
		return i < this.#sent ? this.#known.messages.get(this.#lo + i)
			: undefined;
	}

	#bare(i) {
		if (i >= this.#sent)
			return unsentRow(this.#unsent[i - this.#sent], this.#model.me);
		const message = this.#message(i);

		return message ? messageRow(this.#model, this.#known, message)
			: { key: this.key(i), seq: this.#lo + i, state: 'missing',
				body: '', atMs: 0, reactions: [], replies: 0 };
	}

	#newDay(before, row) {
		return row.state !== 'missing' && (!before || before.atMs === 0 ||
			this.#startOfDay(before.atMs) !== this.#startOfDay(row.atMs));
	}

	#newRun(before, row) {
		return !before || this.#newDay(before, row) ||
			before.sender !== row.sender || row.replyTo !== undefined ||
			row.atMs - before.atMs > RUN_GAP_MS;
	}
}

/* The row of one message, without what surrounds it. */
export function messageRow(model, known, message) {
	const isOwn = message.sender === model.me;

	return {
		key: isOwn ? `own/${message.clientMsgId}` : `seq/${message.seq}`,
		seq: message.seq, rev: message.rev, isOwn, sender: message.sender,
		body: message.body ?? '', atMs: message.atMs,
		state: message.deletedAt ? 'deleted' : 'sent',
		replyTo: message.replyTo, thread: message.thread,
		replies: known.threads.get(message.seq)?.size ?? 0,
		reactions: message.deletedAt ? [] : known.reactionsTo(message.seq),
		editedAt: message.editedAt, isNamed: model.isNamed(message),
		edit: isOwn ? model.edits?.of(known.id, message.seq) : undefined,
	};
}

export function unsentRow(entry, me) {
	return {
		key: `own/${entry.clientMsgId}`, isOwn: true, sender: me,
		body: entry.body, atMs: entry.createdAtMs, replyTo: entry.replyTo,
		state: entry.state === 'failed' ? 'failed' : 'pending',
		clientMsgId: entry.clientMsgId, error: entry.error,
		reactions: [], replies: 0,
	};
}

/* The rows of a thread: its root, the replies we hold, what is unsent. */
export function threadRows(model, known, root, startOfDay) {
	const seqs = [root, ...[...known.threads.get(root) ?? []]
		.sort((a, b) => a - b)];
	const rows = seqs.map((seq) => known.messages.get(seq)).filter(Boolean)
		.map((message) => messageRow(model, known, message));

	for (const entry of model.unsent) {
		const replied = known.messages.get(entry.replyTo);

		if (entry.conversationId === known.id && entry.replyTo !== undefined &&
			(replied?.thread ?? entry.replyTo) === root &&
			!known.ownSeqs.has(entry.clientMsgId))
			rows.push(unsentRow(entry, model.me));
	}
	rows.forEach((row, i) => {
		const before = rows[i - 1];

		row.opensDay = before !== undefined &&
			startOfDay(before.atMs) !== startOfDay(row.atMs);
		row.opens = true;
		row.closes = true;
		row.replies = 0;
		/* a reply to the root needs no quote of it under the root */
		if (row.replyTo === root)
			row.replyTo = undefined;
	});
	return rows;
}
