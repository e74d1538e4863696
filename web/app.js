/*
 * app - the page: joins chemchat.js, the model and the views
 */

import { ChemChat } from './chemchat.js';
import { Model } from './model.js';
import { Sidebar } from './sidebar.js';
import { Thread } from './thread.js';
import { Keep, dropToken, keepToken, subjectOf, takeToken } from './keep.js';
import { byId, setText } from './dom.js';

const PAGE_ROWS = 50;
const DIRECT_ROWS = 10;		/* enough to hold both members of two */

/* One signed-in person: lives until the page is left or another signs in. */
class App {
	#model;
	#keep;
	#chat;
	#sidebar;
	#thread;
	#isReady = false;
	#isDrawn = true;
	#loading = new Set();
	#asked = new Set();		/* people whose names were asked for */
	#previewed = new Set();

	constructor(token) {
		const subject = subjectOf(token);

		this.#keep = new Keep(subject);
		this.#model = new Model({ seen: this.#keep.seen });
		this.#model.me = subject;
		this.#chat = new ChemChat({ url: socketUrl(), token,
			outbox: this.#keep.takeOutbox() });
		this.#model.unsent = this.#chat.outbox();
		this.#sidebar = new Sidebar(this.#model,
			{ onConnect: () => this.#chat.wake() });
		this.#thread = new Thread(this.#model, {
			onSend: (id, body) => this.#chat.send(id, body),
			onRetry: (id) => this.#chat.retry(id),
			onDiscard: (id) => this.#chat.discard(id),
			onOlder: (id) => this.#loadOlder(id),
			onSeen: (id) => this.#seen(id),
			draft: (id) => this.#keep.draft(id),
			putDraft: (id, text) => this.#keep.putDraft(id, text),
		});
		this.#listen();
		byId('sign-in').hidden = true;
		byId('app').hidden = false;
		this.route();
		this.#chat.connect();
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
				askToken('Your sign-in has ended. Open a new link, or paste a new token.');
		});
		on('conversation', (conversation) => {
			model.putConversation(conversation);
			this.#preview(conversation);
		});
		on('ready', () => {
			model.me = this.#chat.userId;
			this.#isReady = true;
			this.route();
		});
		on('removed', ({ conversationId }) => {
			model.removeConversation(conversationId);
			this.#previewed.delete(conversationId);
			if (this.#thread.id === conversationId)
				location.hash = '';
		});
		on('events', ({ events }) => events.forEach((event) => model.apply(event)));
		on('reset', ({ conversationId }) => {
			model.reset(conversationId);
			this.#previewed.clear();
			for (const conversation of this.#chat.conversations())
				this.#preview(conversation);
			this.#open(this.#thread.id);
		});
		on('outbox', (entries) => {
			model.unsent = entries;
			this.#keep.putOutbox(entries);
		});
		on('sent', ({ entry, ok }) => model.apply({
			kind: 'message', conversationId: entry.conversationId, id: ok.id,
			seq: ok.seq, ev: ok.ev, rev: ok.rev, sender: this.#chat.userId,
			clientMsgId: entry.clientMsgId, body: entry.body,
			createdAt: ok.createdAt,
		}));
	}

	/* ---- where we are: #c/<conversation> ---- */

	route({ isChosen = false } = {}) {
		const id = /^#c\/([0-9a-f-]{36})$/u.exec(location.hash)?.[1];
		const isWide = matchMedia('(min-width: 45rem)').matches;
		const first = isWide ? this.#model.conversations()[0]?.id : undefined;

		byId('app').dataset.pane = id ? 'thread' : 'list';
		this.#open(id ?? (this.#model.conversation(this.#thread.id) && isWide
			? this.#thread.id : first));
		if (isChosen && id)
			this.#thread.focus();
		this.draw();
	}

	#open(id) {
		const isNew = this.#thread.id !== id;

		this.#thread.open(id ?? null);
		const known = id && this.#model.conversation(id);

		if (known && !known.isLoaded)
			this.#load(id, {});
		if (known && isNew)
			this.#thread.focus();
	}

	/* ---- fetching ---- */

	async #load(id, { beforeSeq }) {
		const known = this.#model.conversation(id);
		const { messages } = known;

		if (this.#loading.has(messages))
			return;
		this.#loading.add(messages);
		try {
			const events = await this.#chat.history(id,
				{ beforeSeq, maxRows: PAGE_ROWS });

			if (known.messages === messages)	/* no reset meanwhile */
				this.#model.putHistory(id, events, PAGE_ROWS);
		} catch {
			/* removed meanwhile, or leaving: the page has been told */
		} finally {
			this.#loading.delete(messages);
		}
		this.draw();
	}

	#loadOlder(id) {
		const known = this.#model.conversation(id);

		if (known?.isLoaded && !known.hasOldest)
			this.#load(id, { beforeSeq: this.#model.oldestSeq(id) });
	}

	/* The last message and, where there is no title, who the other one is. */
	async #preview({ id, seq, kind, title }) {
		if (this.#previewed.has(id))
			return;
		this.#previewed.add(id);
		try {
			const [events, first] = await Promise.all([
				seq > 0 ? this.#chat.history(id, { maxRows: 1 }) : [],
				kind === 'direct' && !title
					? this.#chat.changes(id, { afterEv: 0, maxRows: DIRECT_ROWS })
					: { events: [] },
			]);

			for (const event of [...events, ...first.events])
				this.#model.apply(event);
		} catch {
			this.#previewed.delete(id);
		}
		this.draw();
	}

	async #askNames() {
		const ids = this.#model.strangers()
			.filter((id) => !this.#asked.has(id));

		if (!this.#isReady || ids.length === 0)
			return;
		ids.forEach((id) => this.#asked.add(id));
		try {
			for (const user of await this.#chat.users(ids))
				this.#model.apply(user);
		} catch {
			ids.forEach((id) => this.#asked.delete(id));
			return;
		}
		this.draw();
	}

	#seen(id) {
		if (this.#model.markSeen(id))
			this.#keep.seen = this.#model.seen;
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
			this.#sidebar.render(this.#thread.id, this.#isReady);
			this.#title();
			this.#askNames();
		});
	}

	#title() {
		let unread = 0;

		for (const known of this.#model.conversations())
			unread += this.#model.unread(known);
		document.title = unread > 0 ? `(${unread}) ChemChat` : 'ChemChat';
	}

	wake() {
		this.#chat.wake();
		this.draw();
	}
}

function socketUrl() {
	const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';

	return `${scheme}//${location.host}/v1/ws`;
}

function askToken(reason) {
	dropToken();
	byId('app').hidden = true;
	byId('sign-in').hidden = false;
	if (reason)
		setText(byId('sign-in-reason'), reason);
	byId('token').focus();
}

function main() {
	const token = takeToken();

	byId('sign-in').onsubmit = (event) => {
		event.preventDefault();
		keepToken(byId('token').value.trim());
		location.reload();
	};
	if (!token) {
		askToken();
		return;
	}
	const app = new App(token);

	addEventListener('hashchange', () => {
		if (location.hash.startsWith('#token=')) {
			takeToken();
			location.reload();
		} else
			app.route({ isChosen: true });
	});
	addEventListener('online', () => app.wake());
	document.addEventListener('visibilitychange', () => app.wake());
}

main();
