/*
 * store - what the page knew when it was left, in IndexedDB
 *
 * A database per person, so that a page opens with what it had, online or
 * not, and catches up from there.  A conversation is one record together with
 * the `ev` it stands at, written whole, and all that is written at once in
 * one transaction with the connection's position: what is read back was true
 * at one moment.  Of several pages of one person one writes (a Web Lock says
 * which), for the same reason.
 *
 * A browser that stores nothing costs only that: every call resolves.
 */

const VERSION = 1;
const NAME = 'chemchat.';
const SAVE_AFTER_MS = 800;
const WITH_MESSAGES = 80;		/* conversations kept with their messages */

export class Store {
	#user;
	#db = null;
	#read;						/* () => what to write of what changed */
	#timer = null;
	#dirty = new Set();			/* conversation ids */
	#isWriter = false;
	#release = null;
	#opened = new Map();		/* id -> when it was last opened */

	/* read(ids): {conversations: [{id, ...}], gone: [id], people, position} */
	constructor(user, read) {
		this.#user = user;
		this.#read = read;
	}

	/* What an earlier page left: {conversations, people, position}. */
	async load() {
		const nothing = { conversations: [], people: [], position: undefined };

		try {
			this.#db = await open(NAME + this.#user);
			/* another page of this person signs out, and removes it */
			this.#db.onversionchange = () => this.#close();
			const tx = this.#db.transaction(['place', 'person', 'meta']);
			const [conversations, people, meta] = await Promise.all([
				all(tx.objectStore('place')), all(tx.objectStore('person')),
				all(tx.objectStore('meta')),
			]);

			this.#claim();
			for (const { id, openedMs } of conversations) {
				if (openedMs)
					this.#opened.set(id, openedMs);
			}
			return { conversations, people,
				position: meta.find(({ key }) => key === 'position')?.value };
		} catch {
			return nothing;
		}
	}

	opened(id) {
		this.#opened.set(id, Date.now());
		this.changed([id]);
	}

	/* These changed: written soon. */
	changed(ids) {
		for (const id of ids)
			this.#dirty.add(id);
		if (this.#isWriter)
			this.#timer ??= setTimeout(() => this.flush(), SAVE_AFTER_MS);
	}

	flush() {
		clearTimeout(this.#timer);
		this.#timer = null;
		if (!this.#db || !this.#isWriter || this.#dirty.size === 0)
			return;
		const { conversations, gone, people, position } =
			this.#read([...this.#dirty]);
		const lean = this.#tooMany();

		this.#dirty.clear();
		try {
			const tx = this.#db.transaction(['place', 'person', 'meta'],
				'readwrite');

			tx.onabort = () => {};	/* the quota: what stands there still holds */
			for (const kept of conversations)
				tx.objectStore('place').put(lean.has(kept.id)
					? without(kept) : { ...kept,
						openedMs: this.#opened.get(kept.id) });
			for (const id of gone)
				tx.objectStore('place').delete(id);
			for (const person of people)
				tx.objectStore('person').put(person);
			tx.objectStore('meta').put({ key: 'position', value: position });
		} catch {
			/* closing, or the browser took the database away */
		}
	}

	/* Nothing of this person stays in the browser. */
	async forget() {
		this.#close();
		await new Promise((resolve) => {
			try {
				const asked = indexedDB.deleteDatabase(NAME + this.#user);

				asked.onsuccess = asked.onerror = asked.onblocked = resolve;
			} catch {
				resolve();
			}
		});
	}

	#close() {
		clearTimeout(this.#timer);
		this.#isWriter = false;
		this.#db?.close();
		this.#db = null;
		this.#release?.();
	}

	/* The oldest of those that were opened: kept without messages. */
	#tooMany() {
		const ids = [...this.#opened].sort((a, b) => b[1] - a[1])
			.slice(WITH_MESSAGES).map(([id]) => id);

		return new Set(ids);
	}

	#claim() {
		navigator.locks?.request(`chemchat.store.${this.#user}`, () => {
			this.#isWriter = true;
			this.changed([...this.#opened.keys()]);
			return new Promise((resolve) => { this.#release = resolve; });
		}).catch(() => {});
	}
}

function without({ messages, reactions, ev, ...kept }) {
	return { ...kept, messages: [], reactions: [] };
}

function open(name) {
	return new Promise((resolve, reject) => {
		const asked = indexedDB.open(name, VERSION);

		asked.onupgradeneeded = () => {
			asked.result.createObjectStore('place', { keyPath: 'id' });
			asked.result.createObjectStore('person', { keyPath: 'userId' });
			asked.result.createObjectStore('meta', { keyPath: 'key' });
		};
		asked.onsuccess = () => resolve(asked.result);
		asked.onerror = asked.onblocked = () => reject(asked.error);
	});
}

function all(store) {
	return new Promise((resolve, reject) => {
		const asked = store.getAll();

		asked.onsuccess = () => resolve(asked.result);
		asked.onerror = () => reject(asked.error);
	});
}
