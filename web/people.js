/*
 * people - finding people: a search, a list, those who were chosen
 */

import { arrowKeys, button, element, reconcile, setText } from './dom.js';
import { matching } from './format.js';
import { makePerson } from './details.js';
import { paintAvatar } from './row.js';
import { body, dialog } from './dialog.js';

const PAUSE_MS = 200;
const MOST = 20;

export class PeopleSearch {
	#find;
	#known;
	#excluded;
	#isSingle;
	#timer = null;
	#found = [];
	#serial = 0;
	#list = element('ul', { className: 'people', 'aria-label': 'People found' });
	#chips = element('ul', { className: 'chips', 'aria-label': 'Chosen' });
	#note = element('p', { className: 'small', role: 'status' });
	#input = element('input', { type: 'search', id: 'find-people',
		autocomplete: 'off', spellcheck: false, placeholder: 'Name or handle',
		autofocus: true });
	chosen = new Map();			/* userId -> person */
	onChange = () => {};
	node = element('div', { className: 'search' },
		element('label', { for: 'find-people' }, 'People'), this.#chips,
		this.#input, this.#note, this.#list);

	/*
	 * find(query): promise of people; known: those to show before anything is
	 * typed; `isSingle`: one is chosen by picking her.
	 */
	constructor({ find, known, excluded = new Set(), isSingle = false }) {
		this.#find = find;
		this.#known = known;
		this.#excluded = excluded;
		this.#isSingle = isSingle;
		this.#input.oninput = () => {
			clearTimeout(this.#timer);
			this.#show(this.#locally());
			this.#timer = setTimeout(() => this.#search(), PAUSE_MS);
		};
		this.#input.onkeydown = (event) => this.#key(event);
		arrowKeys(this.#list, 'button');
		this.#show(this.#locally());
	}

	setSingle(isSingle) {
		this.#isSingle = isSingle;
		while (isSingle && this.chosen.size > 1)
			this.chosen.delete([...this.chosen.keys()].at(-1));
		this.#drawChips();
	}

	#locally() {
		return matching(this.#known, this.#input.value.trim().toLowerCase(), MOST);
	}

	async #search() {
		const query = this.#input.value.trim();
		const serial = ++this.#serial;

		if (query === '')
			return;
		try {
			const found = await this.#find(query);

			if (serial !== this.#serial)
				return;
			const ids = new Set(found.map(({ userId }) => userId));

			this.#show([...found, ...this.#locally()
				.filter(({ userId }) => !ids.has(userId))]);
		} catch {
			setText(this.#note, 'The search did not work.');
		}
	}

	#show(people) {
		this.#found = people.filter((person) =>
			!this.#excluded.has(person.userId) && !person.deactivatedAt);
		setText(this.#note, this.#found.length ? ''
			: this.#input.value ? 'Nobody found.' : '');
		this.#draw();
	}

	#draw() {
		reconcile(this.#list, this.#found.map((person) =>
			({ key: person.userId, person })), (item) => {
			const made = makePerson();
			const pick = element('button', { type: 'button',
				onclick: () => this.#toggle(item.person) });

			pick.append(...made.childNodes);
			made.append(pick);
			return made;
		}, (node, { person }) => {
			const name = person.displayName || person.handle;

			paintAvatar(node.querySelector('.avatar'), name, person.userId);
			setText(node.querySelector('.who b'), name);
			setText(node.querySelector('.who span'), `@${person.handle}${
				person.isBot ? ' · bot' : ''}`);
			setText(node.querySelector('.does'),
				this.chosen.has(person.userId) ? '✓' : '');
			node.firstElementChild.setAttribute('aria-pressed',
				String(this.chosen.has(person.userId)));
		});
	}

	#toggle(person) {
		if (this.chosen.has(person.userId))
			this.chosen.delete(person.userId);
		else {
			if (this.#isSingle)
				this.chosen.clear();
			this.chosen.set(person.userId, person);
		}
		this.#drawChips();
	}

	#drawChips() {
		reconcile(this.#chips, [...this.chosen.values()].map((person) =>
			({ key: person.userId, person })), ({ person }) => {
			const name = person.displayName || person.handle;

			return element('li', {}, element('button', { type: 'button',
				'aria-label': `${name}, take away`,
				onclick: () => {
					this.#toggle(person);
					this.#input.focus();
				} }, `${name} ×`));
		}, () => {});
		this.#draw();
		this.onChange();
	}

	#key(event) {
		if (event.key === 'ArrowDown') {
			event.preventDefault();
			this.#list.querySelector('button')?.focus();
		} else if (event.key === 'Enter' && this.#found.length) {
			event.preventDefault();
			this.#toggle(this.#found[0]);
			this.#input.select();
		} else if (event.key === 'Backspace' && this.#input.value === '' &&
			this.chosen.size)
			this.#toggle([...this.chosen.values()].at(-1));
	}
}

/* Some people, or undefined. */
export function choosePeople(title, yes, options) {
	return dialog(title, (close) => {
		const search = new PeopleSearch(options);
		const done = button(yes, () => close([...search.chosen.keys()]), 'main');

		done.disabled = true;
		search.onChange = () => { done.disabled = search.chosen.size === 0; };
		return [body(search.node), element('footer',
			{ className: 'row-of-buttons' }, done)];
	});
}
