/*
 * composer - the box to write in
 *
 * Writes a new message, a reply to one, or one's own message again.  What is
 * typed is kept by its owner, an edit beside the draft of a new message.
 * Names are offered as they are typed behind an @.
 */

import { element, iconButton, setText } from './dom.js';
import { icon } from './icons.js';
import { matching, namePrefix, oneLine } from './format.js';

const SUGGESTED = 6;

export class Composer {
	#form;
	#calls;
	#box;
	#send;
	#banner;
	#bannerText;
	#list;
	#suggested = [];
	#chosen = 0;
	#from = 0;
	#task = { kind: 'new' };		/* new, reply {row}, edit {row} */
	#setAside = '';					/* what was typed when an edit began */

	/*
	 * calls: onSend(body, replyTo), onEdit(row, body), onDraft(text),
	 * onEditDraft({seq, rev, body} or null), onEditLast(), people() for names,
	 * onEscape().  `prefix` makes the ids, `words` stand in the empty box.
	 */
	constructor(form, calls, { prefix = '', words = 'Write a message' } = {}) {
		const listId = `${prefix}names`;

		this.#form = form;
		this.#calls = calls;
		this.#bannerText = element('p', {});
		this.#banner = element('div', { className: 'banner', hidden: true },
			this.#bannerText,
			iconButton('close', 'Cancel', () => this.cancel(), { size: 16 }));
		this.#box = element('textarea', { id: `${prefix}body`, rows: 1,
			placeholder: words, enterKeyHint: 'send',
			autocomplete: 'off', 'aria-autocomplete': 'list',
			'aria-controls': listId, 'aria-haspopup': 'listbox' });
		this.#send = element('button', { type: 'submit', id: `${prefix}send`,
			className: 'send', 'aria-label': 'Send', title: 'Send',
			disabled: true }, arrow());
		this.#list = element('ul', { className: 'names', id: listId,
			role: 'listbox', 'aria-label': 'Names', hidden: true });
		form.append(this.#list, this.#banner, element('div',
			{ className: 'writing' }, this.#box, this.#send));
		form.onsubmit = (event) => {
			event.preventDefault();
			this.#submit();
		};
		this.#box.onkeydown = (event) => this.#key(event);
		this.#box.oninput = () => this.#typed();
		this.#box.onblur = () => setTimeout(() => {
			if (document.activeElement !== this.#box)
				this.#offer([]);
		}, 150);
	}

	/* Another conversation: what was typed there, and the edit half done. */
	open(text, label, edit = null) {
		this.#task = edit ? { kind: 'edit', row: { seq: edit.seq,
			rev: edit.rev } } : { kind: 'new' };
		this.#setAside = edit ? text : '';
		this.#box.value = edit ? edit.body : text;
		this.#box.setAttribute('aria-label', label);
		this.#show();
	}

	get isEmpty() {
		return this.#box.value === '';
	}

	get isEditing() {
		return this.#task.kind === 'edit';
	}

	focus() {
		this.#box.focus({ preventScroll: true });
	}

	hide(isHidden) {
		this.#form.hidden = isHidden;
	}

	reply(row, name) {
		if (this.#task.kind === 'edit')
			this.cancel();
		this.#task = { kind: 'reply', row, name };
		this.#show();
		this.focus();
	}

	/* Of what was entered and is not saved, if there is such. */
	edit(row, text = row.edit?.body ?? row.body) {
		if (this.#task.kind !== 'edit')
			this.#setAside = this.#box.value;
		this.#task = { kind: 'edit', row };
		this.#box.value = text;
		this.#show();
		this.focus();
		this.#box.setSelectionRange(text.length, text.length);
	}

	/* Back to a new message; what was typed before an edit is there again. */
	cancel() {
		if (this.#task.kind === 'edit') {
			this.#box.value = this.#setAside;
			this.#calls.onEditDraft(null);
		}
		this.#task = { kind: 'new' };
		this.#setAside = '';
		this.#show();
		this.focus();
	}

	#show() {
		const { kind, row, name } = this.#task;

		this.#banner.hidden = kind === 'new';
		setText(this.#bannerText, kind === 'edit' ? 'Editing your message'
			: kind === 'reply' ? `Replying to ${name}: ${oneLine(row.body, 90)}`
				: '');
		this.#form.classList.toggle('is-edit', kind === 'edit');
		this.#offer([]);
		this.#grow();
	}

	/* ---- writing ---- */

	#key(event) {
		if (event.isComposing)
			return;
		if (!this.#list.hidden && this.#choosing(event))
			return;
		if (event.key === 'Enter' && !event.shiftKey) {
			event.preventDefault();
			this.#submit();
		} else if (event.key === 'Escape') {
			event.preventDefault();
			if (this.#task.kind === 'new')
				this.#calls.onEscape?.();
			else
				this.cancel();
		} else if (event.key === 'ArrowUp' && this.isEmpty &&
			this.#task.kind !== 'edit' && !event.altKey) {
			event.preventDefault();
			this.#calls.onEditLast();
		}
	}

	#typed() {
		const { kind, row } = this.#task;

		this.#grow();
		if (kind === 'edit')
			this.#calls.onEditDraft({ seq: row.seq, rev: row.rev,
				body: this.#box.value });
		else
			this.#calls.onDraft(this.#box.value);
		const found = namePrefix(this.#box.value, this.#box.selectionStart);

		if (found)
			this.#from = found.from;
		this.#offer(found ? matching(this.#calls.people(), found.word,
			SUGGESTED) : []);
	}

	#submit() {
		const body = this.#box.value.trim();
		const { kind, row } = this.#task;

		if (!body)
			return;
		if (kind === 'edit') {
			if (body !== row.body || row.edit)
				this.#calls.onEdit(row, body);
			this.cancel();
			return;
		}
		this.#task = { kind: 'new' };
		this.#box.value = '';
		this.#show();
		this.#calls.onDraft('');
		this.#calls.onSend(body, kind === 'reply' ? row.seq : undefined);
		this.focus();
	}

	/* As tall as what is typed; the style sheet says how tall at most. */
	#grow() {
		this.#box.style.height = 'auto';
		this.#box.style.height = `${this.#box.scrollHeight + 2}px`;
		this.#send.disabled = this.#box.value.trim() === '';
	}

	/* ---- names ---- */

	#offer(people) {
		this.#suggested = people;
		this.#chosen = 0;
		this.#list.hidden = people.length === 0;
		this.#list.replaceChildren(...people.map((person, i) =>
			element('li', { id: `${this.#list.id}-${i}`, role: 'option',
				onpointerdown: (event) => {
					event.preventDefault();
					this.#take(i);
				} }, element('b', {}, person.displayName || person.handle),
			element('span', {}, ` @${person.handle}`))));
		this.#mark();
	}

	#mark() {
		[...this.#list.children].forEach((node, i) =>
			node.setAttribute('aria-selected', String(i === this.#chosen)));
		if (this.#list.hidden)
			this.#box.removeAttribute('aria-activedescendant');
		else
			this.#box.setAttribute('aria-activedescendant',
				`${this.#list.id}-${this.#chosen}`);
	}

	#choosing(event) {
		const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];

		if (by) {
			this.#chosen = (this.#chosen + by + this.#suggested.length) %
				this.#suggested.length;
			this.#mark();
		} else if (event.key === 'Enter' || event.key === 'Tab')
			this.#take(this.#chosen);
		else if (event.key === 'Escape')
			this.#offer([]);
		else
			return false;
		event.preventDefault();
		event.stopPropagation();
		return true;
	}

	#take(i) {
		const { handle } = this.#suggested[i];
		const rest = this.#box.value.slice(this.#box.selectionStart);
		const head = `${this.#box.value.slice(0, this.#from)}@${handle}`;
		const gap = /^\s/u.test(rest) ? '' : ' ';

		this.#box.value = head + gap + rest;
		this.#box.setSelectionRange(head.length + 1, head.length + 1);
		this.#typed();
		this.#offer([]);
	}
}

function arrow() {
	const made = icon('down', 20);

	made.firstElementChild.setAttribute('d', 'M12 19V6M6 11.5 12 5.5l6 6');
	made.setAttribute('stroke-width', '2.2');
	return made;
}
