/*
 * feed - fetches what the model lacks, and no more than is looked at
 *
 * Pages of messages at the ends of a window, last messages of the
 * conversations in sight, names, members, cursors, threads.  Every call is
 * asked once at a time; one that comes to nothing may be asked again.
 */

const PAGE_ROWS = 60;
const JUMP_ROWS = 80;
const JUMP_BELOW = 40;			/* of them behind the message jumped to */
const PREVIEWS_AT_ONCE = 6;
const UNSEEN_PREVIEWS = 200;	/* of conversations not in sight */
const MEMBERS_AT_ONCE = 200;
const MOST_MEMBERS = 1000;		/* listed in the page */

export class Feed {
	#chat;
	#model;
	#draw;
	#busy = new Set();			/* keys of what is under way */
	#names = new Set();			/* people who were asked for */
	#previews = [];				/* conversation ids, in turn */
	#previewing = 0;
	isReady = false;

	constructor(chat, model, draw) {
		this.#chat = chat;
		this.#model = model;
		this.#draw = draw;
	}

	/* Runs call once at a time per key; it draws when it is done. */
	async #once(key, call) {
		if (this.#busy.has(key))
			return;
		this.#busy.add(key);
		try {
			await call();
		} catch {
			/* removed meanwhile, or leaving: the page has been told */
		} finally {
			this.#busy.delete(key);
		}
		this.#draw();
	}

	/* ---- messages ---- */

	#page(id, asked) {
		const known = this.#model.conversation(id);

		if (!known)
			return undefined;
		const { messages } = known;

		return this.#once(`page/${id}`, async () => {
			const { beforeSeq, afterSeq, maxRows } = asked;
			const page = await this.#chat.page(id,
				{ beforeSeq, afterSeq, maxRows });

			if (known.messages === messages)	/* no reset meanwhile */
				this.#model.putPage(id, page, asked);
		});
	}

	newest(id) {
		return this.#page(id, { maxRows: PAGE_ROWS });
	}

	older(id) {
		const known = this.#model.conversation(id);

		if (known?.isLoaded && !known.hasOldest)
			this.#page(id, { beforeSeq: known.lo, maxRows: PAGE_ROWS });
	}

	newer(id) {
		const known = this.#model.conversation(id);

		if (known?.isLoaded && known.isDetached)
			this.#page(id, { afterSeq: known.hi, maxRows: PAGE_ROWS });
	}

	around(id, seq) {
		this.#page(id, { beforeSeq: seq + JUMP_BELOW, maxRows: JUMP_ROWS,
			isJump: true });
	}

	/* One as it now is. */
	message(id, seq) {
		return this.#once(`message/${id}/${seq}`, async () => {
			const { events } = await this.#chat.page(id,
				{ beforeSeq: seq + 1, maxRows: 1 });

			for (const event of events)
				this.#model.apply(event);
		});
	}

	/* A thread: its root and its newest replies. */
	thread(id, root) {
		const known = this.#model.conversation(id);

		return this.#once(`thread/${id}/${root}`, async () => {
			const [replies, first] = await Promise.all([
				this.#chat.thread(id, root, { maxRows: 200 }),
				known.messages.has(root) ? { events: [], reactions: [] }
					: this.#chat.page(id, { beforeSeq: root + 1, maxRows: 1 }),
			]);

			for (const page of [first, replies]) {
				for (const event of [...page.events, ...page.reactions])
					this.#model.apply(event);
			}
		});
	}

	/* ---- what the list shows ---- */

	/* When something was last said puts the list in order; those in sight
	 * go first all the same. */
	previewSome() {
		this.preview(this.#model.conversations()
			.filter((known) => known.isPreviewStale && !known.lastAtMs)
			.slice(0, UNSEEN_PREVIEWS).map(({ id }) => id));
	}

	preview(ids) {
		if (!this.isReady)
			return;
		for (const id of ids) {
			if (!this.#busy.has(`preview/${id}`)) {
				this.#busy.add(`preview/${id}`);
				this.#previews.push(id);
			}
		}
		while (this.#previews.length &&
			this.#previewing < PREVIEWS_AT_ONCE)
			this.#previewNext(this.#previews.pop());
	}

	async #previewNext(id) {
		const known = this.#model.conversation(id);

		this.#previewing++;
		try {
			if (known?.isPreviewStale)
				await this.#previewOne(known);
		} catch {
			/* as above */
		} finally {
			this.#previewing--;
			this.#busy.delete(`preview/${id}`);
		}
		this.#draw();
		this.preview([]);
	}

	/* The last message and, where heads does not say, who the other one is. */
	async #previewOne(known) {
		const { id, messages } = known;
		const isNameless = known.kind === 'direct' && !known.otherId &&
			!known.title;
		const [page, first] = await Promise.all([
			known.seq > 0 ? this.#chat.page(id, { maxRows: 1 })
				: { events: [], reactions: [] },
			isNameless ? this.#chat.changes(id, { afterEv: 0, maxRows: 10 })
				: { events: [] },
		]);

		if (known.messages !== messages)
			return;
		known.isPreviewStale = false;
		for (const event of [...page.events, ...page.reactions,
			...first.events])
			this.#model.apply(event);
	}

	async names() {
		const ids = this.#model.strangers()
			.filter((id) => !this.#names.has(id));

		if (!this.isReady || ids.length === 0)
			return;
		ids.forEach((id) => this.#names.add(id));
		try {
			for (const user of await this.#chat.users(ids))
				this.#model.apply(user);
		} catch {
			ids.forEach((id) => this.#names.delete(id));
			return;
		}
		this.#draw();
	}

	/* ---- who is there, and how far they have read ---- */

	people(id) {
		const known = this.#model.conversation(id);

		if (!known || known.areMembersLoaded || !this.isReady)
			return;
		this.#once(`people/${id}`, async () => {
			const cursors = this.#chat.cursors(id).catch(() => []);
			let after;

			for (let seen = 0; seen < MOST_MEMBERS; seen += MEMBERS_AT_ONCE) {
				const members = await this.#chat.members(id,
					{ after, maxRows: MEMBERS_AT_ONCE });

				for (const event of members)
					this.#model.apply(event);
				after = members.at(-1)?.userId;
				known.hasMoreMembers = members.length === MEMBERS_AT_ONCE;
				if (!known.hasMoreMembers)
					break;
			}
			known.areMembersLoaded = true;
			for (const cursor of await cursors)
				this.#model.apply({ kind: 'cursor', conversationId: id,
					...cursor });
		});
	}

	/* Cursors may have moved while the connection was gone. */
	reconnected() {
		for (const known of this.#model.conversations())
			known.areMembersLoaded = false;
	}
}
