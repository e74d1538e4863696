/*
 * sidebar - the list of conversations and the state of the connection
 */

import { byId, element, reconcile, setText } from './dom.js';
import { colourOf, initials, shortTime, wholeTime } from './format.js';

const QUIET_MS = 1500;		/* a connection that blinks says nothing */

export class Sidebar {
	#model;
	#list = byId('conversations');
	#empty = byId('no-conversations');
	#me = byId('me');
	#line = byId('connection');
	#lineText = byId('connection-text');
	#now = byId('connect-now');
	#timer = null;

	constructor(model, { onConnect }) {
		this.#model = model;
		this.#now.onclick = onConnect;
	}

	render(openId, isReady) {
		const model = this.#model;
		const items = model.conversations()
			.map((known) => ({ key: known.id, known }));

		reconcile(this.#list, items, makeItem, (node, { known }) =>
			this.#fill(node, known, known.id === openId));
		this.#empty.hidden = !isReady || items.length > 0;
		setText(this.#me, model.nameOf(model.me));
	}

	#fill(node, known, isOpen) {
		const model = this.#model;
		const link = node.firstElementChild;
		const title = model.titleOf(known);
		const unread = isOpen ? 0 : model.unread(known);
		const unsent = model.unsent
			.findLast((entry) => entry.conversationId === known.id);
		const last = known.last;

		link.href = `#c/${known.id}`;
		if (isOpen)
			link.setAttribute('aria-current', 'page');
		else
			link.removeAttribute('aria-current');
		link.classList.toggle('is-unread', unread > 0);
		paintAvatar(link.querySelector('.avatar'), title,
			model.peerOf(known) ?? known.id);
		setText(link.querySelector('.name'), title);
		setText(link.querySelector('.preview'), unsent
			? `You: ${unsent.body}` : last ? this.#preview(known, last)
				: 'No messages yet');
		const time = link.querySelector('time');

		setText(time, last ? shortTime(last.atMs, Date.now()) : '');
		if (last) {
			time.dateTime = last.createdAt;
			time.title = wholeTime(last.atMs);
		}
		const badge = link.querySelector('.badge');

		badge.hidden = unread === 0;
		setText(badge, unread > 99 ? '99+' : String(unread));
		badge.setAttribute('aria-label', `${unread} unread`);
	}

	#preview(known, last) {
		const model = this.#model;
		const name = last.sender === model.me ? 'You'
			: known.kind === 'direct' ? '' : model.nameOf(last.sender);

		return name ? `${name.split(' ')[0]}: ${last.body}` : last.body;
	}

	/* Says nothing while all is well, nor about what passes in a moment. */
	connection(state, retryAtMs) {
		clearTimeout(this.#timer);
		if (state === 'online') {
			this.#line.classList.remove('is-shown');
			return;
		}
		const show = () => {
			const seconds = Math.ceil((retryAtMs - Date.now()) / 1000);

			setText(this.#lineText, state === 'waiting' && seconds > 1
				? `Offline. Next try in ${seconds} s` : 'Connecting…');
			this.#now.hidden = !(state === 'waiting' && seconds > 1);
			this.#line.classList.add('is-shown');
			this.#timer = setTimeout(show, 1000);
		};

		this.#timer = setTimeout(show,
			this.#line.classList.contains('is-shown') ? 0 : QUIET_MS);
	}
}

function makeItem() {
	return element('li', {}, element('a', { className: 'conversation' },
		element('span', { className: 'avatar', 'aria-hidden': 'true' }),
		element('span', { className: 'name' }),
		element('time'),
		element('span', { className: 'preview' }),
		element('span', { className: 'badge', hidden: true })));
}

export function paintAvatar(node, name, id) {
	node.dataset.colour = colourOf(id);
	setText(node, initials(name));
}
