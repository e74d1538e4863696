/*
 * thread - one conversation: its messages and the box to write in
 *
 * Stays at the bottom while the reader is there; when she is not, what she
 * reads stays where it is and a button says what has come.  Older messages
 * are fetched when she nears the top, newer ones when she has jumped into the
 * past and nears the bottom.
 */

import { announce, byId, iconButton, setText } from './dom.js';
import { oneLine, plural, startOfDay } from './format.js';
import { Actions } from './actions.js';
import { Composer } from './composer.js';
import { RowPainter, paintAvatar } from './row.js';
import { Timeline } from './timeline.js';
import { VirtualList } from './virtual.js';
import { may, mayDo } from './may.js';

const NEAR_PX = 600;		/* this near to an end asks for what is beyond */
const LINE_PX = 22;
const ROW_PX = 24;

const KIND_NAMES = { direct: 'Direct message', group: 'Group',
	channel: 'Channel' };

export class Thread {
	#model;
	#calls;
	#id = null;
	#rows = null;				/* the Timeline that is drawn */
	#painter;
	#virtual;
	#actions;
	#composer;
	#unreadAfter = null;
	#shownSeq = 0;
	#saidSeq = 0;				/* announced up to here */
	#wanted = null;				/* a seq to show as soon as it is there */
	#isDrawing = false;
	#scroll = byId('scroll');
	#note = byId('thread-note');
	#jump = byId('jump');

	/*
	 * calls: onSend(id, body, replyTo), onEdit, onDelete, onReact,
	 * onOlder(id), onNewer(id), onNewest(id), onJump(id, seq), onSeen(id, seq),
	 * onThread(root), onRevisions(row), onDetails(), onRetry, onDiscard,
	 * onDiscardEdit(id, row), draft(id), putDraft(id, text), editDraft(id),
	 * putEditDraft(id, edit), people(id)
	 */
	constructor(model, calls) {
		this.#model = model;
		this.#calls = calls;
		const onReact = (row, emoji, isOn) =>
			calls.onReact(this.#id, row.seq, emoji, isOn);

		this.#painter = new RowPainter(model, { onRetry: calls.onRetry,
			onDiscard: calls.onDiscard, onReact,
			onQuote: (seq) => this.show(seq), onThread: calls.onThread,
			onFold: (row, isWhole) => this.#fold(row, isWhole),
			onEdit: (row) => this.#composer.edit(row),
			onDiscardEdit: (row) => calls.onDiscardEdit(this.#id, row) });
		this.#virtual = new VirtualList({ scroll: this.#scroll,
			list: byId('log'), make: () => this.#painter.make(),
			fill: (node, i) => this.#fill(node, i), sticksToEnd: true });
		this.#composer = new Composer(byId('composer'), {
			onSend: (body, replyTo) => this.#send(body, replyTo),
			onEdit: (row, body) => calls.onEdit(this.#id, row, body),
			onDraft: (text) => calls.putDraft(this.#id, text),
			onEditDraft: (edit) => calls.putEditDraft(this.#id, edit),
			onEditLast: () => this.#editLast(),
			onEscape: () => calls.onEscape(),
			people: () => calls.people(this.#id),
		});
		this.#actions = new Actions(byId('log'), (node) => this.#rowOf(node), {
			me: () => model.me, onReact,
			onReply: (row) => this.#composer.reply(row,
				row.isOwn ? 'yourself' : model.nameOf(row.sender)),
			onThread: (row) => calls.onThread(row.thread ?? row.seq),
			onEdit: (row) => this.#composer.edit(row),
			onDelete: (row) => calls.onDelete(this.#id, row),
			onRevisions: (row) => calls.onRevisions(this.#id, row),
			may: (verb, row) =>
				mayDo(model.conversation(this.#id), verb, row),
			toComposer: () => this.focus(true),
			step: (node, by) => this.#step(node, by),
		});
		this.#scroll.addEventListener('scroll', () => this.#scrolled(),
			{ passive: true });
		this.#jump.onclick = () => this.#toNewest();
		byId('thread-buttons').append(
			iconButton('people', 'Details', () => calls.onDetails(),
				{ id: 'open-details' }));
	}

	get id() {
		return this.#id;
	}

	open(id) {
		if (this.#id === id)
			return;
		const known = id && this.#model.conversation(id);

		this.#id = id;
		this.#rows = null;
		this.#wanted = null;
		this.#virtual.clear();
		this.#shownSeq = 0;
		this.#saidSeq = known?.seq ?? 0;
		this.#unreadAfter = known && this.#model.unread(known) > 0
			? known.readSeq : null;
		this.#composer.open(id ? this.#calls.draft(id) : '',
			known ? `Message to ${this.#model.titleOf(known)}` : 'Message',
			id ? this.#calls.editDraft(id) : null);
	}

	/* Not where it would open a phone's keyboard, unless it was asked for. */
	focus(isAsked = false) {
		if (isAsked || matchMedia('(pointer: fine)').matches)
			this.#composer.focus();
	}

	/* Into the messages: the newest one in sight. */
	focusLog() {
		if (this.#rows?.count)
			this.#virtual.reveal(this.#rows.count - 1)?.focus();
	}

	/* Brings a message into sight, fetching it where it must be. */
	show(seq) {
		const i = this.#rows?.indexOfSeq(seq) ?? -1;

		if (i < 0) {
			this.#wanted = seq;
			this.#calls.onJump(this.#id, seq);
			return;
		}
		const node = this.#virtual.reveal(i, { where: 'middle' });

		this.#wanted = null;
		node?.classList.add('is-found');
		setTimeout(() => node?.classList.remove('is-found'), 2000);
		node?.focus({ preventScroll: true });
	}

	render() {
		const known = this.#id && this.#model.conversation(this.#id);

		byId('thread').classList.toggle('is-empty', !known);
		if (!known)
			return;
		this.#head(known);
		/* what comes while nobody looks is new to who comes back */
		if (document.visibilityState === 'hidden' &&
			this.#model.unread(known) > 0)
			this.#unreadAfter = known.readSeq;
		this.#rows = new Timeline(this.#model, known,
			{ startOfDay, unreadAfter: this.#unreadAfter });
		const rows = this.#rows;

		this.#isDrawing = true;
		this.#virtual.render({ count: rows.count, base: known.lo,
			isOpen: known.isDetached,
			key: (i) => rows.key(i),
			indexOf: (key) => rows.indexOf(key),
			estimate: (i) => ROW_PX + LINE_PX * rows.lines(i) },
		[this.#id, known.lo, known.hi, rows.count, known.isLoaded].join());
		this.#isDrawing = false;
		this.#actions.refresh();
		this.#notes(known, rows.count);
		this.#writable(known);
		this.#say(known);
		this.#tellJump(known);
		if (this.#wanted !== null && rows.indexOfSeq(this.#wanted) >= 0)
			this.show(this.#wanted);
		this.#nearEnds(known);
	}

	#head(known) {
		const title = this.#model.titleOf(known);
		const peer = this.#model.peerOf(known);
		const handle = peer && this.#model.handleOf(peer);

		setText(byId('title'), title);
		setText(byId('subtitle'), [handle && `@${handle}`,
			!peer && (KIND_NAMES[known.kind] ?? ''),
			!peer && known.membersInWords(),
			known.archivedAt && 'archived',
			known.topic && oneLine(known.topic, 200)]
			.filter(Boolean).join(' · '));
		paintAvatar(byId('title-avatar'), title, peer ?? known.id);
	}

	#notes(known, count) {
		this.#note.hidden = known.isLoaded && count > 0;
		setText(this.#note, known.isLoaded ? 'No messages yet. Say hello.'
			: 'Loading…');
	}

	#writable(known) {
		const isOpen = may(known, 'send');
		const peer = this.#model.peerOf(known);
		const isBlocked = peer && this.#model.isBlocked(peer);

		this.#composer.hide(!isOpen || isBlocked);
		byId('closed').hidden = isOpen && !isBlocked;
		setText(byId('closed'), isBlocked ? 'You have blocked this person.'
			: known.archivedAt ? 'This conversation is archived.'
				: isOpen ? '' : 'You may read here, not write.');
	}

	/* ---- rows ---- */

	#fill(node, i) {
		const known = this.#model.conversation(this.#id);

		this.#painter.fill(node, this.#rows.row(i), known);
		node.setAttribute('aria-posinset', String(i + 1));
		node.setAttribute('aria-setsize', known.hasOldest
			? String(this.#rows.count) : '-1');
	}

	#rowOf(node) {
		const i = this.#rows?.indexOf(node.dataset.key) ?? -1;

		return i < 0 ? undefined : this.#rows.row(i);
	}

	#step(node, by) {
		const i = this.#rows.indexOf(node.dataset.key) + by;

		if (i >= this.#rows.count)
			this.focus(true);
		else
			this.#virtual.reveal(i)?.focus({ preventScroll: true });
	}

	/*
	 * What comes out of a fold stands below where one was reading; what goes
	 * into it leaves what follows in its place, or its own beginning in sight.
	 */
	#fold({ key }, isWhole) {
		if (isWhole)
			this.#virtual.hold(key);
		this.render();
		if (!isWhole)
			this.#virtual.reveal(this.#rows.indexOf(key));
		this.#scrolled();
	}

	#editLast() {
		for (let i = this.#rows.count - 1; i >= 0; i--) {
			const row = this.#rows.row(i);

			if (row.isOwn && row.state === 'sent') {
				this.#virtual.reveal(i);
				this.#composer.edit(row);
				return;
			}
		}
	}

	#send(body, replyTo) {
		const known = this.#model.conversation(this.#id);

		this.#unreadAfter = null;
		this.#calls.onSend(this.#id, body, replyTo);
		if (known?.isDetached)
			this.#calls.onNewest(this.#id);
		this.#virtual.toEnd();
	}

	/* ---- scrolling ---- */

	#scrolled() {
		const known = this.#id && this.#model.conversation(this.#id);

		if (!known || this.#isDrawing || !this.#rows)
			return;
		this.#virtual.scrolled();
		this.#tellJump(known);
		this.#nearEnds(known);
	}

	#nearEnds(known) {
		const { scrollTop, scrollHeight, clientHeight } = this.#scroll;

		if (!known.isLoaded)
			return;
		if (scrollTop < NEAR_PX && !known.hasOldest)
			this.#calls.onOlder(this.#id);
		if (known.isDetached &&
			scrollHeight - scrollTop - clientHeight < NEAR_PX)
			this.#calls.onNewer(this.#id);
	}

	#toNewest() {
		const known = this.#model.conversation(this.#id);

		if (known?.isDetached)
			this.#calls.onNewest(this.#id);
		this.#virtual.toEnd(known?.isDetached ? 'instant' : 'smooth');
	}

	#tellJump(known) {
		const isAtEnd = this.#virtual.isAtEnd && !known.isDetached;

		if (isAtEnd && known.isLoaded &&
			document.visibilityState === 'visible') {
			this.#shownSeq = known.seq;
			this.#calls.onSeen(known.id, known.seq);
		}
		this.#shownSeq ||= known.seq;
		const fresh = Math.max(0, known.seq - this.#shownSeq);

		this.#jump.hidden = isAtEnd;
		this.#jump.classList.toggle('is-fresh', fresh > 0);
		setText(byId('jump-text'), fresh > 0
			? plural(fresh, 'new message') : 'Newest');
	}

	/* What has come from others, for those who listen. */
	#say(known) {
		const { last } = known;

		if (!last || last.seq <= this.#saidSeq)
			return;
		this.#saidSeq = last.seq;
		if (last.sender !== this.#model.me && !last.deletedAt)
			announce(`${this.#model.nameOf(last.sender) || 'Somebody'}: ${
				oneLine(last.body ?? '', 300)}`);
	}
}
