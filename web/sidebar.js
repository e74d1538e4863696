/*
 * sidebar - the list of conversations, invitations, the connection's state
 */

import { button, byId, element, iconButton, reconcile, setText } from './dom.js';
import { icon } from './icons.js';
import { oneLine, plural, shortTime, wholeTime } from './format.js';
import { VirtualList } from './virtual.js';
import { paintAvatar } from './row.js';

const QUIET_MS = 1500;		/* a connection that blinks says nothing */
const ROW_PX = 68;

export class Sidebar {
	#model;
	#calls;
	#virtual;
	#items = [];
	#openId = null;
	#showsArchived = false;
	#scroll = byId('conversations-scroll');
	#list = byId('conversations');
	#filter = byId('filter');
	#line = byId('connection');
	#timer = null;
	invitations = [];

	/* calls: onConnect, onNew, onChannels, onMentions, onSettings,
	 * onAccept(id), onDecline(id), onSeen(ids), draw() */
	constructor(model, calls) {
		this.#model = model;
		this.#calls = calls;
		this.#virtual = new VirtualList({ scroll: this.#scroll,
			list: this.#list, make: makeItem,
			fill: (node, i) => this.#fill(node, i) });
		this.#scroll.addEventListener('scroll', () => {
			this.#virtual.scrolled();
			this.#tellSeen();
		}, { passive: true });
		this.#list.addEventListener('keydown', (event) => this.#key(event));
		this.#filter.oninput = () => calls.draw();
		this.#filter.onkeydown = (event) => this.#filterKey(event);
		byId('connect-now').onclick = calls.onConnect;
		byId('archived').onclick = () => {
			this.#showsArchived = !this.#showsArchived;
			calls.draw();
		};
		byId('sidebar-buttons').append(
			iconButton('at', 'Mentions', calls.onMentions),
			iconButton('channels', 'Public channels', calls.onChannels),
			iconButton('plus', 'New conversation', calls.onNew, { id: 'new' }));
		byId('me').onclick = calls.onSettings;
	}

	focusFilter() {
		this.#filter.focus();
		this.#filter.select();
	}

	/* The conversation `by` places from the open one; with unread ones only. */
	neighbour(by, { isUnread = false } = {}) {
		const all = this.#items;
		let at = all.findIndex(({ id }) => id === this.#openId);

		for (let tries = 0; tries < all.length; tries++) {
			at = (at + by + all.length) % all.length;
			if (!isUnread || this.#model.unread(all[at]) > 0)
				return all[at].id;
		}
		return undefined;
	}

	render(openId, isReady) {
		const model = this.#model;
		const query = this.#query;
		const archived = model.conversations()
			.filter((known) => known.archivedAt).length;

		this.#openId = openId;
		this.#items = this.#wanted();
		const items = this.#items;
		const places = new Map(items.map((known, i) => [known.id, i]));

		this.#virtual.render({ count: items.length, key: (i) => items[i].id,
			indexOf: (key) => places.get(key) ?? -1, estimate: () => ROW_PX },
		String(items.length));
		byId('no-conversations').hidden = !isReady || items.length > 0;
		setText(byId('no-conversations'), query ? 'Nothing is called so.'
			: 'You are in no conversation yet. Begin one with +.');
		byId('archived').hidden = archived === 0 || query !== '';
		setText(byId('archived'), this.#showsArchived ? 'Hide archived'
			: `Show ${archived} archived`);
		this.#renderMe();
		this.#renderInvitations();
		this.#tellSeen();
	}

	get #query() {
		return this.#filter.value.trim().toLowerCase();
	}

	#wanted() {
		const query = this.#query;

		return this.#model.conversations().filter((known) =>
			(!query || this.#model.titleOf(known).toLowerCase()
				.includes(query)) &&
			(!known.archivedAt || query || this.#showsArchived ||
			known.id === this.#openId));
	}

	#renderMe() {
		const name = this.#model.nameOf(this.#model.me);

		setText(byId('my-name'), name);
		paintAvatar(byId('my-avatar'), name || '?', this.#model.me ?? '');
	}

	#renderInvitations() {
		const model = this.#model;

		byId('invitations').hidden = this.invitations.length === 0;
		reconcile(byId('invitations'), this.invitations.map((invitation) =>
			({ key: invitation.conversationId, ...invitation })),
		(item) => element('li', { className: 'invitation' },
			element('p', {}),
			button('Join', () => this.#calls.onAccept(item.conversationId)),
			button('Decline', () =>
				this.#calls.onDecline(item.conversationId), 'quiet')),
		(node, item) => setText(node.firstElementChild,
			`${model.nameOf(item.invitedBy) || 'Somebody'} invites you to ${
				item.title || 'a conversation'}`));
	}

	/* Those in sight whose last message may be another by now. */
	#tellSeen() {
		this.#calls.onSeen(this.#items.slice(this.#virtual.first,
			this.#virtual.end).filter((known) => known.isPreviewStale)
			.map(({ id }) => id));
	}

	#fill(node, i) {
		const model = this.#model;
		const known = this.#items[i];
		const link = node.firstElementChild;
		const isOpen = known.id === this.#openId;
		const title = model.titleOf(known);
		const unread = isOpen && document.visibilityState === 'visible' ? 0
			: model.unread(known);
		const mentions = unread ? model.mentions(known) : 0;
		const isSilent = model.isSilent(known);
		const isNoticed = unread > 0 && model.noticed(known) > 0;
		const unsent = model.unsent
			.findLast((entry) => entry.conversationId === known.id);
		const { last } = known;
		const preview = unsent ? `You: ${oneLine(unsent.body)}`
			: last ? this.#preview(known, last)
				: known.seq === 0 ? 'No messages yet' : '';
		const stamp = [known.id, isOpen, title, unread, mentions, isSilent, isNoticed,
			preview, last?.atMs, known.kind, known.archivedAt,
			model.peerOf(known), new Date().getDate()].join('\0');

		node.setAttribute('aria-posinset', String(i + 1));
		node.setAttribute('aria-setsize', String(this.#items.length));
		if (node.dataset.stamp === stamp)
			return;
		node.dataset.stamp = stamp;
		link.href = `#c/${known.id}`;
		if (isOpen)
			link.setAttribute('aria-current', 'page');
		else
			link.removeAttribute('aria-current');
		link.classList.toggle('is-unread', unread > 0);
		link.classList.toggle('is-silent', isSilent);
		link.classList.toggle('is-archived', Boolean(known.archivedAt));
		paintAvatar(link.querySelector('.avatar'), title,
			model.peerOf(known) ?? known.id);
		setText(link.querySelector('.name'), known.kind === 'channel'
			? `# ${title}` : title);
		setText(link.querySelector('.preview'), preview);
		const time = link.querySelector('time');

		setText(time, last ? shortTime(last.atMs, Date.now()) : '');
		if (last) {
			time.dateTime = last.createdAt;
			time.title = wholeTime(last.atMs);
		}
		link.querySelector('.silent').hidden = !isSilent;
		const badge = link.querySelector('.badge');

		badge.hidden = unread === 0;
		badge.classList.toggle('is-mention', mentions > 0);
		badge.classList.toggle('is-quiet', !isNoticed);
		const count = mentions || unread;

		setText(badge.lastElementChild, count > 99 ? '99+' : String(count));
		setText(badge.firstElementChild, mentions > 0 ? '@' : '');
		setText(link.querySelector('.unseen'), unread === 0 ? ''
			: `, ${unread} unread${mentions
				? `, you are mentioned ${plural(mentions, 'time')}` : ''}`);
	}

	#preview(known, last) {
		const model = this.#model;
		const name = last.sender === model.me ? 'You'
			: known.kind === 'direct' ? '' : model.nameOf(last.sender);
		const text = last.deletedAt ? 'deleted a message' : oneLine(last.body);

		return name ? `${name.split(' ')[0]}: ${text}` : text;
	}

	/* ---- by keyboard ---- */

	#key(event) {
		const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		const node = event.target.closest('li');

		if (!by || !node || event.altKey)
			return;
		const at = this.#items.findIndex(({ id }) => id === node.dataset.key);

		event.preventDefault();
		if (at + by < 0)
			this.#filter.focus();
		else
			this.#virtual.reveal(at + by)?.firstElementChild.focus();
	}

	#filterKey(event) {
		if (event.key === 'Escape') {
			this.#filter.value = '';
			this.#calls.draw();
		} else if (event.key === 'ArrowDown' && this.#items.length) {
			event.preventDefault();
			this.#virtual.reveal(0)?.firstElementChild.focus();
		} else if (event.key === 'Enter') {
			const [first] = this.#wanted();	/* of what is typed, not drawn */

			this.#filter.value = '';
			if (first)
				location.hash = `#c/${first.id}`;
		}
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
			const isWaiting = state === 'waiting' && seconds > 1;

			setText(byId('connection-text'), isWaiting
				? `Offline. Next try in ${seconds} s` : 'Connecting…');
			byId('connect-now').hidden = !isWaiting;
			this.#line.classList.add('is-shown');
			this.#timer = setTimeout(show, 1000);
		};

		this.#timer = setTimeout(show,
			this.#line.classList.contains('is-shown') ? 0 : QUIET_MS);
	}
}

function makeItem() {
	const silent = element('span', { className: 'silent', hidden: true,
		title: 'Muted' }, icon('silent', 15));

	return element('li', {}, element('a', { className: 'conversation' },
		element('span', { className: 'avatar', 'aria-hidden': 'true' }),
		element('span', { className: 'name' }),
		element('time'),
		element('span', { className: 'preview' }),
		element('span', { className: 'marks', 'aria-hidden': 'true' }, silent,
			element('span', { className: 'badge', hidden: true },
				element('i', {}), element('span', {}))),
		element('span', { className: 'unseen' })));
}
