/*
 * row - one message on the page
 *
 * Draws a row of timeline.js into an element, and only when it says something
 * else than before.  What can be done with a message is actions.js's.
 */

import { element, setText } from './dom.js';
import { icon } from './icons.js';
import { clockTime, colourOf, dayName, folded, initials, isEmojiOnly, oneLine,
	plural, startOfDay, textParts, wholeTime } from './format.js';

const REFUSALS = {
	too_large: 'Too long.',
	forbidden: 'You may not write here.',
	not_found: 'You are no longer in this conversation.',
	archived: 'This conversation is archived.',
	conflict: 'It was edited elsewhere meanwhile.',
	deleted: 'The message was deleted.',
};

const REACTORS_NAMED = 12;

const DELAYS = {
	unavailable: 'The server cannot take it yet. Trying again…',
	storage_full: 'The server has no room for it. Trying again…',
	rate_limited: 'Many at once. It goes out in a moment…',
};

export class RowPainter {
	#model;
	#calls;
	#inThread;
	#unfolded = new Set();		/* long messages that are shown whole */

	/* calls: onRetry(id), onDiscard(id), onReact(row, emoji, isOn),
	 * onQuote(seq), onThread(root), onFold(row, isWhole), onEdit(row),
	 * onDiscardEdit(row) */
	constructor(model, calls, { inThread = false } = {}) {
		this.#model = model;
		this.#calls = calls;
		this.#inThread = inThread;
	}

	make() {
		return element('li', { tabIndex: -1 });
	}

	fill(node, row, known) {
		const name = row.isOwn ? 'You' : this.#model.nameOf(row.sender);
		const quoted = row.replyTo && known.messages.get(row.replyTo);
		const ticks = row.isOwn && row.state === 'sent' && row.closes
			? this.#ticks(row, known) : null;
		const stamp = [row.body, row.rev, row.atMs, row.state, row.opensDay,
			row.opensUnread, row.opens, row.closes, name, row.error?.code,
			startOfDay(Date.now()), row.replies, row.replyTo,
			quoted?.rev, quoted && this.#model.nameOf(quoted.sender),
			JSON.stringify(row.reactions), ticks?.label,
			(row.state === 'pending' || row.edit) && this.#model.isOnline,
			row.edit && (row.edit.error?.code ?? 'queued'),
			this.#unfolded.has(`${known.id}/${row.key}`)].join('\0');

		if (node.dataset.stamp === stamp)
			return;
		node.dataset.stamp = stamp;
		const isActive = node.classList.contains('is-active');

		node.className = ['message', row.isOwn ? 'is-own' : 'is-theirs',
			`is-${row.state}`, row.opens && 'opens', row.closes && 'closes',
			row.isNamed && 'is-named', isActive && 'is-active', row.state === 'sent' &&
			isEmojiOnly(row.body) && 'is-emoji'].filter(Boolean).join(' ');
		const had = node.contains(document.activeElement)
			? document.activeElement.dataset.part : undefined;
		const actions = node.querySelector('.bubble > .actions');

		node.replaceChildren(...[
			row.opensDay && element('div', { className: 'day' },
				element('span', {}, dayName(row.atMs, Date.now()))),
			row.opensUnread && element('div', { className: 'fresh' },
				element('span', {}, 'New')),
			row.state !== 'missing' && row.opens && !row.isOwn &&
				this.#sender(row, name),
			row.state !== 'missing' && this.#bubble(row, quoted, name, known),
			row.reactions.length > 0 && this.#reactions(row),
			row.replies > 0 && !this.#inThread && this.#replies(row),
			(row.closes || !['sent', 'deleted'].includes(row.state)) &&
				row.state !== 'missing' && this.#foot(row, ticks),
			row.edit && this.#unsaved(row),
		].filter(Boolean));
		if (actions && row.state === 'sent')
			node.querySelector('.bubble').append(actions);
		if (had)
			node.querySelector(`[data-part="${CSS.escape(had)}"]`)
				?.focus({ preventScroll: true });
	}

	#bubble(row, quoted, name, known) {
		const isGone = row.state === 'deleted';

		return element('div', { className: 'bubble', title: wholeTime(row.atMs) },
			row.replyTo && this.#quote(row, quoted),
			element('span', { className: 'unseen' }, `${name || 'Somebody'}: `),
			...isGone ? [element('span', { className: 'text gone' },
				'This message was deleted.')] : this.#text(row, known),
			row.editedAt && !isGone && element('span', { className: 'edited',
				title: wholeTime(Date.parse(row.editedAt)) }, 'edited'));
	}

	/* A long one begins folded, and stays as its reader wants it. */
	#text(row, known) {
		const people = this.#model;
		const isKnown = (handle) => handle === 'all' ||
			people.hasHandle(handle);
		const parts = textParts(row.body, isKnown);
		const beginning = folded(parts);
		const key = `${known.id}/${row.key}`;
		const isWhole = !beginning || this.#unfolded.has(key);

		return [element('span', { className: 'text' },
			...(isWhole ? parts : beginning).map((part) => this.#part(part)),
			!isWhole && '…'),
		beginning && element('button', { type: 'button', className: 'more',
			'data-part': 'more', 'aria-expanded': String(isWhole),
			onclick: () => {
				if (isWhole)
					this.#unfolded.delete(key);
				else
					this.#unfolded.add(key);
				this.#calls.onFold(row, !isWhole);
			} }, isWhole ? 'Show less' : 'Show more')];
	}

	#part({ text, href, handle }) {
		const people = this.#model;

		return href ? element('a', { href, target: '_blank',
			rel: 'noopener noreferrer' }, text)
			: handle ? element('span', { className: handle === 'all' ||
				handle === people.handleOf(people.me) ? 'name is-me' : 'name' },
			text) : text;
	}

	#quote(row, quoted) {
		const name = quoted ? quoted.sender === this.#model.me ? 'You'
			: this.#model.nameOf(quoted.sender) : '';
		const text = !quoted ? 'an earlier message' : quoted.deletedAt
			? 'a deleted message' : oneLine(quoted.body, 140);

		return element('button', { type: 'button', className: 'quote',
			'data-part': 'quote',
			onclick: () => this.#calls.onQuote(row.replyTo) },
		element('span', { className: 'unseen' }, 'In reply to '),
		name && element('b', {}, name),
		name && element('span', { className: 'unseen' }, ': '),
		element('span', {}, text));
	}

	#sender(row, name) {
		const avatar = element('span', { className: 'avatar' },
			initials(name || '?'));

		avatar.dataset.colour = colourOf(row.sender);
		return element('div', { className: 'sender', 'aria-hidden': 'true' },
			avatar, element('span', {}, name || '…'));
	}

	#reactions(row) {
		const model = this.#model;

		return element('div', { className: 'reactions' }, ...row.reactions
			.map(({ emoji, userIds }) => {
				const isMine = userIds.includes(model.me);
				const more = userIds.length - REACTORS_NAMED;
				const names = userIds.slice(0, REACTORS_NAMED)
					.map((id) => id === model.me
						? 'you' : model.nameOf(id) || 'somebody').join(', ') +
					(more > 0 ? ` and ${plural(more, 'other')}` : '');

				return element('button', { type: 'button',
					className: 'reaction', title: names,
					'data-part': `react/${emoji}`,
					'aria-pressed': String(isMine),
					'aria-label': `${emoji} ${userIds.length}, by ${names}`,
					onclick: () => this.#calls.onReact(row, emoji, !isMine) },
				element('span', {}, emoji),
				element('b', {}, String(userIds.length)));
			}));
	}

	#replies(row) {
		return element('button', { type: 'button', className: 'replies',
			'data-part': 'replies',
			onclick: () => this.#calls.onThread(row.seq) },
		icon('thread', 15), plural(row.replies, 'reply', 'replies'));
	}

	/* Another text of it was entered: it waits, or was refused. */
	#unsaved(row) {
		const { error } = row.edit;

		if (!error)
			return !this.#model.isOnline && element('div',
				{ className: 'foot' }, 'Your edit waits for the connection');
		return element('div', { className: 'foot is-refused' },
			`Your edit was not saved. ${REFUSALS[error.code] ??
				error.message ?? ''} `,
			element('button', { type: 'button', 'data-part': 'edit',
				onclick: () => this.#calls.onEdit(row) }, 'Edit again'),
			element('button', { type: 'button', 'data-part': 'discard',
				onclick: () => this.#calls.onDiscardEdit(row) }, 'Discard'));
	}

	#foot(row, ticks) {
		if (row.state === 'failed')
			return element('div', { className: 'foot' },
				`Not sent. ${REFUSALS[row.error?.code] ??
					row.error?.message ?? ''} `,
				element('button', { type: 'button', onclick: () =>
					this.#calls.onRetry(row.clientMsgId) }, 'Try again'),
				element('button', { type: 'button', onclick: () =>
					this.#calls.onDiscard(row.clientMsgId) }, 'Discard'));
		if (row.state === 'pending')
			return element('div', { className: 'foot' }, !this.#model.isOnline
				? 'Waiting for the connection'
				: DELAYS[row.error?.code] ?? 'Sending…');
		return element('div', { className: 'foot' },
			element('time', { dateTime: new Date(row.atMs).toISOString() },
				clockTime(row.atMs)),
			ticks && element('span', { className: `ticks ${ticks.kind}`,
				role: 'img', title: ticks.label, 'aria-label': ticks.label },
			icon(ticks.kind === 'is-there' ? 'check' : 'twice', 15)));
	}

	/* Sent, delivered to everybody, read by everybody. */
	#ticks(row, known) {
		const { read, delivered, others } =
			this.#model.receipts(known, row.seq);

		if (others > 0 && read >= others)
			return { kind: 'is-read', label: others > 1
				? `Read by all ${others}` : 'Read' };
		if (read > 0)
			return { kind: 'is-delivered', label: `Read by ${read} of ${others}` };
		if (others > 0 && delivered >= others)
			return { kind: 'is-delivered', label: 'Delivered' };
		return { kind: 'is-there', label: delivered > 0
			? `Delivered to ${delivered} of ${others}` : 'Sent' };
	}
}

export function paintAvatar(node, name, id) {
	node.dataset.colour = colourOf(id);
	setText(node, initials(name));
}
