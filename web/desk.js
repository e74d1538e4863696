/*
 * desk - the page of one signed-in person: joins chemchat.js, the model, what
 * is kept, and the views
 */

import { ChemChat } from './chemchat.js';
import { Model } from './model.js';
import { Edits } from './edits.js';
import { Feed } from './feed.js';
import { Store } from './store.js';
import { Keep } from './keep.js';
import { Sidebar } from './sidebar.js';
import { Thread } from './thread.js';
import { Pane } from './pane.js';
import { Doings } from './doings.js';
import { listenForShortcuts } from './shortcuts.js';
import { attempt } from './dialog.js';
import { byId, tell } from './dom.js';

export class Desk {
	#account;
	#model;
	#keep;
	#store;
	#chat;
	#feed;
	#doings;
	#sidebar;
	#thread;
	#pane;
	#isDrawn = true;
	#invitationAsks = 0;
	#isSentAway = false;		/* from what was open, and nothing chosen since */
	#onEnded;

	/* onEnded(): the server no longer takes the token. */
	constructor(account, onEnded) {
		const me = account.userId;

		this.#account = account;
		this.#onEnded = onEnded;
		this.#keep = new Keep(me);
		this.#model = new Model({ me });
		this.#store = new Store(me ?? 'unknown', (ids) => this.#kept(ids));
	}

	/* Opens with what was kept, then connects. */
	async open() {
		const kept = await this.#store.load();
		const model = this.#model;

		model.restore(kept);
		const evs = Object.fromEntries(kept.conversations
			.filter(({ ev }) => ev !== undefined).map(({ id, ev }) => [id, ev]));

		this.#chat = new ChemChat({ url: socketUrl(),
			token: () => this.#account.token(),
			outbox: this.#keep.takeOutbox(),
			state: { position: kept.position, evs } });
		model.unsent = this.#chat.outbox();
		this.#feed = new Feed(this.#chat, model, () => this.draw());
		this.#pane = new Pane(() => this.draw());
		const edits = new Edits({ ask: (edit) => this.#edit(edit),
			keep: this.#keep, onChange: () => this.draw() });

		model.edits = edits;
		this.#doings = new Doings({ chat: this.#chat, model, keep: this.#keep,
			edits, feed: this.#feed, pane: this.#pane, account: this.#account,
			store: this.#store, open: (id) => this.#goTo(id),
			thread: () => this.#thread, draw: () => this.draw(),
			forgetInvitation: (id) => this.#forgetInvitation(id),
			ended: this.#onEnded });
		this.#thread = new Thread(model, this.#doings.ofThread());
		this.#sidebar = new Sidebar(model, { ...this.#doings.ofSidebar(),
			draw: () => this.draw() });
		this.#listen();
		listenForShortcuts({ ...this.#doings.ofKeyboard(),
			find: () => this.#sidebar.focusFilter(),
			escape: () => this.#pane.held ? this.#pane.close()
				: this.#thread.focus(true),
			neighbour: (by, isUnread) =>
				this.#goTo(this.#sidebar.neighbour(by, { isUnread })) });
		byId('sign-in').hidden = true;
		byId('app').hidden = false;
		this.route();
		edits.resume();
		this.#chat.connect();
	}

	close() {
		this.#chat?.close();
	}

	/* The page may be gone at any moment: what is known is written now. */
	flush() {
		this.#chat?.flush();
		if (this.#chat)
			this.#store.flush();
	}

	#listen() {
		const model = this.#model;
		const on = (name, call) => this.#chat.on(name, (detail) => {
			call(detail);
			this.draw();
		});

		on('state', ({ state, retryAtMs }) => {
			model.isOnline = state === 'online';
			this.#sidebar.connection(state, retryAtMs);
			if (state === 'unauthorized')
				this.#onEnded();
		});
		on('conversation', (conversation) => {
			model.putConversation(conversation);
			this.#store.changed([conversation.id]);
		});
		on('ready', () => {
			model.me = this.#chat.userId;
			this.#feed.isReady = true;
			this.#feed.reconnected();
			this.#feed.previewSome();
			this.#askInvitations();
			this.#markDelivered();
			this.route();
		});
		on('removed', ({ conversationId }) => {
			const known = model.conversation(conversationId);
			const title = known && model.titleOf(known);

			model.removeConversation(conversationId);
			this.#store.changed([conversationId]);
			if (this.#thread.id === conversationId)
				this.#sentAway(title);
		});
		on('events', ({ conversationId, events }) => {
			events.forEach((event) => model.apply(event));
			this.#store.changed([conversationId]);
			this.#delivered(conversationId);
		});
		on('people', ({ events }) => {
			events.forEach((event) => model.apply(event));
			this.#store.changed(events.map((event) => event.conversationId)
				.filter(Boolean));
		});
		on('stale', () => {
			this.#feed.reconnected();
			this.#feed.people(this.#thread.id);
		});
		on('invited', ({ conversationId }) =>
			this.#askInvitations(conversationId));
		on('reset', ({ conversationId }) => {
			model.reset(conversationId);
			this.#store.changed(model.conversations().map(({ id }) => id));
			this.#open(this.#thread.id);
		});
		on('outbox', (entries) => {
			model.unsent = entries;
			this.#keep.putOutbox(entries);
		});
		on('sent', ({ entry, ok }) => {
			model.apply({ kind: 'message', id: ok.id, seq: ok.seq, ev: ok.ev,
				rev: ok.rev, conversationId: entry.conversationId,
				sender: this.#chat.userId, clientMsgId: entry.clientMsgId,
				body: entry.body, createdAt: ok.createdAt,
				...(entry.replyTo && { replyTo: entry.replyTo,
					thread: this.#rootOf(entry) }) });
			this.#store.changed([entry.conversationId]);
		});
	}

	/* Overtaken by another device: what that one wrote is looked at first. */
	#edit({ conversationId, seq, body, rev }) {
		const asked = this.#chat.edit(conversationId, seq, body,
			{ expectedRev: rev });

		attempt(asked);
		asked.catch((error) => error.code === 'conflict' &&
			this.#feed.message(conversationId, seq));
		return asked;
	}

	/* Until its event tells: the thread of what it replies to. */
	#rootOf({ conversationId, replyTo }) {
		return this.#model.conversation(conversationId)?.messages.get(replyTo)
			?.thread ?? replyTo;
	}

	/*
	 * No longer in the conversation that is open.  None opens in its place:
	 * what is being typed at this moment would be typed there.
	 */
	#sentAway(title) {
		this.#isSentAway = true;
		history.replaceState(null, '', location.pathname);
		this.route();
		if (title)
			tell(`You are no longer in “${title}”.`);
	}

	/* ---- where we are: #c/<conversation> ---- */

	route({ isChosen = false } = {}) {
		const id = /^#c\/([0-9a-f-]{36})$/u.exec(location.hash)?.[1];

		this.#isSentAway &&= !id;
		const isWide = matchMedia('(min-width: 45rem)').matches;
		const first = isWide && !this.#isSentAway ? this.#model.conversations()
			.find((known) => !known.archivedAt)?.id : undefined;

		byId('app').dataset.pane = id && (this.#model.conversation(id) ||
			!this.#feed.isReady) ? 'thread' : 'list';
		this.#open(id ?? (this.#model.conversation(this.#thread.id) && isWide
			? this.#thread.id : first));
		if (isChosen && id)
			this.#thread.focus();
		this.draw();
	}

	#goTo(id) {
		if (id)
			location.hash = `#c/${id}`;
	}

	#open(id) {
		const isNew = this.#thread.id !== (id ?? null);
		const known = id && this.#model.conversation(id);

		if (isNew && this.#pane.held)
			this.#pane.close();
		/* one that heads has not told of yet is opened when it has */
		this.#thread.open(known || !this.#feed.isReady ? id ?? null : null);
		if (!known)
			return;
		if (!known.isLoaded)
			this.#feed.newest(id);
		this.#feed.people(id);
		if (isNew) {
			this.#store.opened(id);
			this.#thread.focus();
		}
	}

	/* An event may tell of one a moment before the database shows it. */
	async #askInvitations(awaitedId = null, tries = 6) {
		const ask = ++this.#invitationAsks;

		try {
			const invitations = await this.#chat.invitations();

			if (awaitedId && tries > 1 && !invitations.some(
				({ conversationId }) => conversationId === awaitedId))
				setTimeout(() => this.#askInvitations(awaitedId, tries - 1), 300);
			if (ask !== this.#invitationAsks)		/* a later one knows more */
				return;
			this.#sidebar.invitations = invitations;
			this.draw();
			for (const user of await this.#chat.users(
				invitations.map(({ invitedBy }) => invitedBy).filter(Boolean)))
				this.#model.apply(user);
		} catch {
			/* a server before invitations, or leaving */
		}
		this.draw();
	}

	#forgetInvitation(id) {
		this.#sidebar.invitations = this.#sidebar.invitations
			.filter(({ conversationId }) => conversationId !== id);
	}

	/* ---- delivered: told in conversations small enough to matter ---- */

	#delivered(id) {
		const known = this.#model.conversation(id);

		if (known && known.kind !== 'channel' && known.seq > known.deliveredSeq) {
			known.deliveredSeq = known.seq;
			this.#chat.mark(id, { deliveredSeq: known.seq });
		}
	}

	#markDelivered() {
		for (const { id } of this.#model.conversations())
			this.#delivered(id);
	}

	/* ---- what the next life of the page begins with ---- */

	#kept(ids) {
		const { position, evs } = this.#chat.state();
		const conversations = ids.map((id) => this.#model.exported(id, evs[id]))
			.filter(Boolean);
		const there = new Set(conversations.map(({ id }) => id));

		return { conversations, position, people: this.#model.people(),
			gone: ids.filter((id) => !there.has(id)) };
	}

	/* ---- drawing: once per turn, however much happened ---- */

	draw() {
		if (!this.#isDrawn)
			return;
		this.#isDrawn = false;
		const soon = document.visibilityState === 'visible'
			? requestAnimationFrame : setTimeout;

		soon(() => {
			this.#isDrawn = true;
			this.#thread.render();
			this.#sidebar.render(this.#thread.id, this.#feed.isReady);
			this.#pane.render();
			this.#title();
			this.#feed.names();
		});
	}

	#title() {
		let unread = 0;

		for (const known of this.#model.conversations())
			unread += this.#model.noticed(known);
		document.title = unread > 0 ? `(${unread}) ChemChat` : 'ChemChat';
	}

	wake() {
		this.#chat?.wake();
		this.draw();
	}
}

function socketUrl() {
	const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';

	return `${scheme}//${location.host}/v1/ws`;
}
