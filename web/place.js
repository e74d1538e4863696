/*
 * place - one conversation as the page knows it: its messages and members
 *
 * Messages are held by seq; seqs are dense (1..n), so the window `lo..hi` that
 * is shown has a row for each.  `isDetached`: the window is somewhere in the
 * past and does not reach the head.
 */

import { plural } from './format.js';

const KEPT_MESSAGES = 150;		/* for the next life */
const KEPT_MEMBERS = 50;		/* and their cursors, in those with no more */

const KEPT_FIELDS = ['id', 'kind', 'title', 'topic', 'isPublic', 'archivedAt',
	'role', 'otherId', 'seq', 'readSeq', 'deliveredSeq', 'mentions', 'isMuted',
	'mutedUntil', 'notify', 'headEv', 'lastAtMs', 'rev', 'preferenceRev'];

class Place {
	kind = 'group';
	title = undefined;
	topic = undefined;
	isPublic = false;
	archivedAt = undefined;
	role = 'member';
	otherId = undefined;
	rev = 0;
	preferenceRev = 0;
	seq = 0;
	readSeq = 0;
	deliveredSeq = 0;
	mentions = 0;				/* unread ones, as heads counted */
	mentionsUpto = 0;			/* up to this seq */
	mentionSeqs = new Set();	/* those that came since */
	isMuted = false;
	mutedUntil = undefined;
	notify = 'all';
	headEv = 0;
	lastAtMs = 0;
	isMember = false;
	isPreviewStale = true;
	areMembersLoaded = false;
	hasMoreMembers = false;		/* than are held */

	messages = new Map();		/* seq -> message event, atMs */
	ownSeqs = new Map();		/* our clientMsgId -> seq */
	threads = new Map();		/* root's seq -> Set of seqs */
	reactions = new Map();		/* seq -> Map of id -> reaction event */
	members = new Map();		/* userId -> member event */
	cursors = new Map();		/* userId -> cursor event */
	last = null;
	lo = 1;
	hi = 0;
	isLoaded = false;
	hasOldest = false;
	isDetached = false;
	version = 0;				/* grows when a message or reaction changes */

	constructor(id) {
		this.id = id;
	}

	/* False when it was known already. */
	putMessage(event) {
		const held = this.messages.get(event.seq);

		if (held && held.rev >= event.rev)
			return false;
		const message = { ...event, atMs: Date.parse(event.createdAt) };

		this.messages.set(event.seq, message);
		this.seq = Math.max(this.seq, event.seq);
		if (event.seq >= (this.last?.seq ?? 0))
			this.last = message;
		if (event.thread) {
			const thread = this.threads.get(event.thread) ?? new Set();

			this.threads.set(event.thread, thread.add(event.seq));
		}
		this.#grow();
		this.version++;
		return true;
	}

	putReaction(event) {
		const those = this.reactions.get(event.seq) ?? new Map();
		const held = those.get(event.id);

		this.reactions.set(event.seq, those);
		if (held && held.rev >= event.rev)
			return;
		those.set(event.id, event);
		this.version++;
	}

	/* [{emoji, userIds}], the earliest emoji first. */
	reactionsTo(seq) {
		const groups = new Map();

		for (const { emoji, userId, state } of
			this.reactions.get(seq)?.values() ?? []) {
			if (state === 'off')
				continue;
			groups.set(emoji, [...groups.get(emoji) ?? [], userId]);
		}
		return [...groups].map(([emoji, userIds]) => ({ emoji, userIds }));
	}

	/* A page came that was asked so: the window grows, or begins anew. */
	extend(seqs, { beforeSeq, afterSeq, maxRows, isJump = false }) {
		const low = Math.min(...seqs);
		const high = Math.max(...seqs);
		const isEnd = seqs.length < maxRows || low === 1;

		if (isJump || (!beforeSeq && !afterSeq)) {
			this.lo = seqs.length ? low : 1;
			this.hi = seqs.length ? high : 0;
			this.isLoaded = true;
			this.hasOldest = isEnd;
			this.isDetached = isJump && this.hi < this.seq;
		} else if (beforeSeq === this.lo) {
			this.lo = seqs.length ? low : this.lo;
			this.hasOldest = isEnd;
		} else if (afterSeq === this.hi && seqs.length)
			this.hi = high;
		this.#grow();
		this.version++;
	}

	/* What follows without a hole belongs to the window. */
	#grow() {
		if (!this.isLoaded)
			return;
		while (this.messages.has(this.hi + 1))
			this.hi++;
		if (this.hi >= this.seq)
			this.isDetached = false;
	}

	forget() {
		this.messages = new Map();
		this.ownSeqs = new Map();
		this.threads = new Map();
		this.reactions = new Map();
		this.last = null;
		this.seq = 0;
		this.lo = 1;
		this.hi = 0;
		this.isLoaded = false;
		this.hasOldest = false;
		this.isDetached = false;
		this.isPreviewStale = true;
		this.version++;
	}

	/* ---- who is in it ---- */

	peer(me) {
		if (this.otherId)
			return this.otherId;
		for (const userId of this.members.keys()) {
			if (userId !== me)
				return userId;
		}
		for (const message of this.messages.values()) {
			if (message.sender !== me)
				return message.sender;
		}
		return undefined;
	}

	/* One we have not been told of counts as in it. */
	isIn(userId) {
		const member = this.members.get(userId);

		return !member || member.state === 'joined';
	}

	joined() {
		return [...this.members.values()]
			.filter((member) => member.state === 'joined');
	}

	/* "3 members", "more than 1000 members", nothing while nobody knows. */
	membersInWords() {
		const count = this.joined().length;

		return !this.areMembersLoaded ? '' : this.hasMoreMembers
			? `more than ${count} members` : plural(count, 'member');
	}

	others(me) {
		return this.joined().filter((member) => member.userId !== me).length;
	}

	/* ---- the next life ---- */

	exported(ev) {
		const kept = Object.fromEntries(KEPT_FIELDS
			.filter((name) => this[name] !== undefined)
			.map((name) => [name, this[name]]));
		const lo = Math.max(this.lo, this.hi - KEPT_MESSAGES + 1);
		const seqs = [];
		const isSmall = this.members.size <= KEPT_MEMBERS;

		if (this.isLoaded && !this.isDetached && ev !== undefined) {
			for (let seq = lo; seq <= this.hi; seq++)
				seqs.push(seq);
		}
		return { ...kept, ev: seqs.length ? ev : undefined,
			hasOldest: this.hasOldest && lo === this.lo, last: this.last,
			messages: seqs.map((seq) => this.messages.get(seq)).filter(Boolean),
			reactions: seqs.flatMap((seq) =>
				[...this.reactions.get(seq)?.values() ?? []]),
			members: isSmall ? [...this.members.values()] : [],
			cursors: isSmall ? [...this.cursors.values()] : [] };
	}

	restore({ messages, reactions, members, cursors = [], last, ev, hasOldest,
		...kept }) {
		Object.assign(this, kept, { isMember: true,
			isPreviewStale: !last || last.seq < kept.seq });
		for (const message of messages)
			this.putMessage(message);
		for (const reaction of reactions)
			this.putReaction(reaction);
		for (const member of members)
			this.members.set(member.userId, member);
		for (const cursor of cursors)
			this.cursors.set(cursor.userId, cursor);
		if (last)
			this.last = last;
		this.mentionsUpto = this.seq;
		if (ev === undefined || messages.length === 0)
			return;
		this.lo = messages[0].seq;
		this.hi = messages[0].seq;
		this.isLoaded = true;
		this.hasOldest = hasOldest;
		this.#grow();
	}
}

export function place(id) {
	return new Place(id);
}
