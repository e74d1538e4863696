/*
 * thread - one conversation: its messages and the box to write in
 *
 * Stays at the bottom while the reader is there; when she is not, what she
 * reads stays where it is and a button says what has come.  Older messages
 * are fetched when she nears the top.
 */

import { byId, element, reconcile, setText } from './dom.js';
import { clockTime, colourOf, dayName, initials, isEmojiOnly, startOfDay,
	textParts, wholeTime } from './format.js';
import { paintAvatar } from './sidebar.js';

const BOTTOM_PX = 60;		/* this near is at the bottom */
const TOP_PX = 400;			/* this near asks for older messages */

const KIND_NAMES = { direct: 'Direct message', group: 'Group',
	channel: 'Channel' };
const REFUSALS = {
	too_large: 'Too long',
	forbidden: 'You may not write here',
	not_found: 'You are no longer in this conversation',
};

export class Thread {
	#model;
	#calls;
	#id = null;
	#isAtBottom = true;
	#topRow = null;				/* what to keep still: {node, offset} */
	#shownSeq = 0;
	#scroll = byId('scroll');
	#log = byId('log');
	#note = byId('thread-note');
	#jump = byId('jump');
	#body = byId('body');
	#send = byId('send');

	/* calls: onSend(id, body), onOlder(id), onSeen(id), onRetry, onDiscard,
	 * draft(id), putDraft(id, text) */
	constructor(model, calls) {
		this.#model = model;
		this.#calls = calls;
		this.#scroll.addEventListener('scroll', () => this.#scrolled(),
			{ passive: true });
		this.#jump.onclick = () => this.#toBottom('smooth');
		byId('composer').onsubmit = (event) => {
			event.preventDefault();
			this.#submit();
		};
		this.#body.onkeydown = (event) => this.#key(event);
		this.#body.oninput = () => this.#typed();
		/* Keyboards and turned phones: the newest stays in sight. */
		new ResizeObserver(() => {
			if (this.#isAtBottom)
				this.#toBottom();
		}).observe(this.#scroll);
	}

	get id() {
		return this.#id;
	}

	open(id) {
		if (this.#id === id)
			return;
		this.#id = id;
		this.#log.replaceChildren();
		this.#isAtBottom = true;
		this.#shownSeq = 0;
		this.#body.value = id ? this.#calls.draft(id) : '';
		this.#grow();
	}

	focus() {
		if (matchMedia('(pointer: fine)').matches)
			this.#body.focus();
	}

	render() {
		const known = this.#id && this.#model.conversation(this.#id);

		byId('thread').classList.toggle('is-empty', !known);
		if (!known)
			return;
		const title = this.#model.titleOf(known);
		const peer = this.#model.peerOf(known);

		setText(byId('title'), title);
		setText(byId('subtitle'), peer && this.#model.handleOf(peer)
			? `@${this.#model.handleOf(peer)}` : KIND_NAMES[known.kind] ?? '');
		paintAvatar(byId('title-avatar'), title, peer ?? known.id);
		const rows = this.#model.rows(known.id, startOfDay);

		this.#markTop();
		reconcile(this.#log, rows, makeRow, (node, row) => this.#fill(node, row));
		this.#note.hidden = rows.length > 0 && known.hasOldest;
		setText(this.#note, !known.isLoaded ? 'Loading…'
			: rows.length === 0 ? 'No messages yet. Say hello.'
				: 'Loading earlier messages…');
		this.#body.setAttribute('aria-label', `Message to ${title}`);
		if (this.#isAtBottom)
			this.#toBottom();
		else
			this.#keepTop();
		this.#tellJump(known);
		if (known.isLoaded && !known.hasOldest)
			this.#older();
	}

	#fill(node, row) {
		const model = this.#model;
		const name = row.isOwn ? 'You' : model.nameOf(row.sender);
		const stamp = [row.body, row.atMs, row.state, row.opensDay, row.opens,
			row.closes, name, row.error?.code, startOfDay(Date.now()),
			row.state === 'pending' && model.isOnline].join('\0');

		if (node.dataset.stamp === stamp)
			return;
		node.dataset.stamp = stamp;
		node.className = ['message', row.isOwn ? 'is-own' : 'is-theirs',
			`is-${row.state}`, row.opens && 'opens', row.closes && 'closes',
			isEmojiOnly(row.body) && 'is-emoji'].filter(Boolean).join(' ');
		node.replaceChildren(...[
			row.opensDay && element('div', { className: 'day' },
				element('span', {}, dayName(row.atMs, Date.now()))),
			row.opens && !row.isOwn && this.#sender(row, name),
			element('div', { className: 'bubble', title: wholeTime(row.atMs) },
				element('span', { className: 'unseen' }, `${name}: `),
				element('span', { className: 'text' },
					...textParts(row.body).map(part))),
			(row.closes || row.state !== 'sent') && this.#foot(row),
		].filter(Boolean));
	}

	#sender(row, name) {
		const avatar = element('span',
			{ className: 'avatar', 'aria-hidden': 'true' }, initials(name || '?'));

		avatar.dataset.colour = colourOf(row.sender);
		return element('div', { className: 'sender', 'aria-hidden': 'true' },
			avatar, element('span', {}, name || '…'));
	}

	#foot(row) {
		if (row.state === 'failed')
			return element('div', { className: 'foot' },
				`Not sent. ${REFUSALS[row.error?.code] ?? row.error?.message ?? ''} `,
				element('button', { type: 'button', onclick: () =>
					this.#calls.onRetry(row.clientMsgId) }, 'Try again'),
				element('button', { type: 'button', onclick: () =>
					this.#calls.onDiscard(row.clientMsgId) }, 'Discard'));
		return element('div', { className: 'foot' }, row.state === 'pending'
			? this.#model.isOnline ? 'Sending…' : 'Waiting for the connection'
			: element('time',
				{ dateTime: new Date(row.atMs).toISOString() }, clockTime(row.atMs)));
	}

	/* ---- scrolling ---- */

	#scrolled() {
		const { scrollTop, scrollHeight, clientHeight } = this.#scroll;

		this.#isAtBottom = scrollHeight - scrollTop - clientHeight < BOTTOM_PX;
		const known = this.#id && this.#model.conversation(this.#id);

		if (!known)
			return;
		this.#tellJump(known);
		this.#older();
	}

	#older() {
		if (this.#scroll.scrollTop < TOP_PX)
			this.#calls.onOlder(this.#id);
	}

	#toBottom(behavior = 'instant') {
		this.#scroll.scrollTo({ top: this.#scroll.scrollHeight, behavior });
		this.#isAtBottom = true;
	}

	/* The first row in sight, and where it stands. */
	#markTop() {
		const edge = this.#scroll.getBoundingClientRect().top;

		this.#topRow = null;
		if (this.#isAtBottom)
			return;
		for (const node of this.#log.children) {
			const box = node.getBoundingClientRect();

			if (box.bottom > edge) {
				this.#topRow = { node, offset: box.top };
				return;
			}
		}
	}

	#keepTop() {
		if (this.#topRow?.node.isConnected)
			this.#scroll.scrollTop +=
				this.#topRow.node.getBoundingClientRect().top - this.#topRow.offset;
	}

	#tellJump(known) {
		const isHere = this.#isAtBottom && document.visibilityState === 'visible';

		if (isHere) {
			this.#shownSeq = known.seq;
			this.#calls.onSeen(known.id);
		}
		this.#shownSeq ||= known.seq;
		const fresh = known.seq - this.#shownSeq;

		this.#jump.hidden = this.#isAtBottom;
		this.#jump.classList.toggle('is-fresh', fresh > 0);
		setText(byId('jump-text'), fresh > 0
			? `${fresh} new message${fresh > 1 ? 's' : ''}` : 'Newest');
	}

	/* ---- writing ---- */

	#key(event) {
		if (event.key !== 'Enter' || event.shiftKey || event.isComposing)
			return;
		event.preventDefault();
		this.#submit();
	}

	#typed() {
		this.#grow();
		this.#calls.putDraft(this.#id, this.#body.value);
	}

	#submit() {
		const body = this.#body.value.trim();

		if (!body || !this.#id)
			return;
		this.#body.value = '';
		this.#typed();
		this.#isAtBottom = true;
		this.#calls.onSend(this.#id, body);
		this.#body.focus();
	}

	/* As tall as what is typed; the style sheet says how tall at most. */
	#grow() {
		this.#body.style.height = 'auto';
		this.#body.style.height = `${this.#body.scrollHeight}px`;
		this.#send.disabled = this.#body.value.trim() === '';
	}
}

function makeRow() {
	return element('li');
}

function part({ text, href }) {
	return href ? element('a', { href, target: '_blank',
		rel: 'noopener noreferrer' }, text) : text;
}
