/*
 * actions - what can be done with a message
 *
 * One toolbar, which moves to the message under the pointer or the focus.  By
 * keyboard: up and down go from message to message, Enter goes into the one
 * that has the focus, letters do things at once (shortcuts.js lists them).
 */

import { element, iconButton, tell } from './dom.js';
import { icon } from './icons.js';
import { QUICK, pickEmoji } from './emoji.js';

/* On a phone what was tapped last counts as hovered for ever. */
const HOVERS = matchMedia('(hover: hover)');

export class Actions {
	#list;
	#rowOf;
	#calls;
	#bar = null;
	#node = null;
	#atDown = null;				/* the message that was open as a tap began */
	#stamp = '';				/* of the row that the bar was made for */

	/*
	 * rowOf(node): the row it shows; calls: onReply(row), onThread(row),
	 * onReact(row, emoji, isOn), onEdit(row), onDelete(row), may(verb, row),
	 * toComposer(), step(node, by)
	 */
	constructor(list, rowOf, calls) {
		this.#list = list;
		this.#rowOf = rowOf;
		this.#calls = calls;
		list.addEventListener('pointerover', (event) => {
			if (event.pointerType === 'mouse')
				this.#show(event.target.closest('.message'));
		});
		list.addEventListener('pointerleave', (event) => {
			if (event.pointerType === 'mouse')
				this.#rest();
		});
		list.addEventListener('focusin', (event) =>
			this.#show(event.target.closest('.message')));
		list.addEventListener('focusout', (event) => {
			const to = event.relatedTarget;

			/* a menu or a choice of emoji gives the focus back to the bar */
			if (!list.contains(to) && !to?.closest('dialog') &&
				!(HOVERS.matches && this.#node?.matches(':hover')))
				this.#show(null);
		});
		/*
		 * A finger has no pointer that hovers: a tap opens and closes.  The
		 * tap has moved the focus before it is a click, so what it does is
		 * told by what was open when it began.
		 */
		list.addEventListener('pointerdown', () => {
			this.#atDown = this.#bar ? this.#node : null;
		});
		list.addEventListener('click', (event) => {
			const isFinger = event.pointerType === 'touch';

			if (!isFinger || event.target.closest('a, button'))
				return;
			const node = event.target.closest('.message');

			this.#show(this.#atDown === node ? null : node);
		});
		list.addEventListener('keydown', (event) => this.#key(event));
	}

	/* The rows were drawn anew: what can be done may be something else. */
	refresh() {
		const node = this.#node;

		if (node && !node.isConnected)
			this.#show(null);
		else if (node && node.dataset.stamp !== this.#stamp &&
			!this.#bar?.contains(document.activeElement)) {
			this.#show(null);
			this.#show(node);
		}
	}

	/* Where the focus is, if anywhere in the list. */
	#rest() {
		const node = document.activeElement?.closest?.('.message');

		this.#show(node && this.#list.contains(node) &&
			document.activeElement.matches(':focus-visible') ? node : null);
	}

	#show(node) {
		if (node === this.#node && this.#bar?.isConnected)
			return;
		const bar = this.#bar;

		/* the focus that leaves with it comes by here too */
		this.#bar = null;
		bar?.remove();
		this.#node?.classList.remove('is-active');
		this.#node = node;
		this.#stamp = node?.dataset.stamp ?? '';
		const row = node && this.#rowOf(node);

		if (!row || row.state !== 'sent')
			return;
		node.classList.add('is-active');
		this.#bar = this.#make(node, row);
		this.#bar.onclick = (event) => this.#pressed(event);
		node.querySelector('.bubble').append(this.#bar);
	}

	/* A finger is done with it, unless something has opened beside it. */
	#pressed(event) {
		if (event.pointerType === 'touch' &&
			!document.querySelector('dialog[open]'))
			this.#show(null);
	}

	/* What is pressed is done with the message as it then is. */
	#make(node, first) {
		const row = () => this.#rowOf(node) ?? first;
		const may = (verb) => this.#calls.may(verb, first);
		const at = (event) => event.currentTarget;

		return element('div', { className: 'actions', role: 'toolbar',
			'aria-label': 'Message' },
		...may('react') ? QUICK.slice(0, 3).map((emoji) => element('button', {
			type: 'button', className: 'icon emoji', title: `React ${emoji}`,
			'aria-label': `React ${emoji}`,
			onclick: () => this.#toggle(row(), emoji) }, emoji)) : [],
		may('react') && iconButton('smile', 'Choose a reaction', (event) =>
			pickEmoji(at(event), (emoji) => this.#toggle(row(), emoji))),
		may('send') && iconButton('reply', 'Reply',
			() => this.#calls.onReply(row())),
		this.#calls.onThread && iconButton('thread', 'Thread',
			() => this.#calls.onThread(row())),
		iconButton('more', 'More', (event) => this.#menu(at(event), row()), {
			'aria-haspopup': 'menu' }));
	}

	#toggle(row, emoji) {
		const mine = row.reactions.some((group) => group.emoji === emoji &&
			group.userIds.includes(this.#calls.me()));

		this.#calls.onReact(row, emoji, !mine);
	}

	#menu(anchor, row) {
		const may = (verb) => this.#calls.may(verb, row);

		openMenu(anchor, [
			may('edit') && ['edit', 'Edit', () => this.#calls.onEdit(row)],
			['copy', 'Copy text', () => copy(row.body)],
			row.editedAt && ['edit', 'Earlier versions',
				() => this.#calls.onRevisions(row)],
			may('delete') && ['trash', 'Delete',
				() => this.#calls.onDelete(row), 'is-danger'],
		].filter(Boolean));
	}

	/* ---- by keyboard ---- */

	#key(event) {
		const node = event.target.closest('.message');

		if (!node || event.ctrlKey || event.metaKey || event.altKey)
			return;
		const row = this.#rowOf(node);
		const isRow = event.target === node;
		const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];

		if (step)
			this.#calls.step(node, step);
		else if (event.key === 'Escape')
			(isRow ? this.#calls.toComposer : () => node.focus())();
		else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight')
			this.#along(node, event.key === 'ArrowRight' ? 1 : -1);
		else if (event.key === 'Enter' && isRow)
			this.#along(node, 1);
		else if (!isRow || !row || row.state !== 'sent' ||
			!this.#letter(event.key, row))
			return;
		event.preventDefault();
	}

	#letter(key, row) {
		const may = (verb) => this.#calls.may(verb, row);
		const { onReply, onThread, onEdit, onDelete } = this.#calls;
		const call = {
			r: may('send') && (() => onReply(row)),
			t: onThread && (() => onThread(row)),
			e: may('edit') && (() => onEdit(row)),
			'+': may('react') && (() => pickEmoji(this.#bar ?? this.#node,
				(emoji) => this.#toggle(row, emoji))),
			c: () => copy(row.body),
			Delete: may('delete') && (() => onDelete(row)),
		}[key];

		call?.();
		return Boolean(call);
	}

	/* Through whatever can be pressed in this message. */
	#along(node, by) {
		const all = [...node.querySelectorAll('button, a')];
		const at = all.indexOf(document.activeElement);
		const to = all[(at < 0 && by < 0 ? all.length : at) + by];

		(to ?? node).focus();
	}
}

async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		tell('Copied.');
	} catch {
		tell('The browser did not let us copy.', { isError: true });
	}
}

/* items: [drawing, words, call, class]; the focus goes back where it was. */
export function openMenu(anchor, items) {
	const menu = element('dialog', { className: 'menu' });
	const list = element('div', { role: 'menu' }, ...items.map(
		([drawing, words, call, className = '']) => element('button',
			{ type: 'button', role: 'menuitem', className, onclick: () => {
				close();
				call();
			} }, icon(drawing, 18), words)));
	const message = anchor.closest('.message');
	const close = () => {
		menu.close();
		menu.remove();
		/* the bar was made anew when its message changed meanwhile */
		(anchor.isConnected ? anchor : message)?.focus({ preventScroll: true });
	};

	menu.append(list);
	menu.onclick = (event) => {
		if (event.target === menu)
			close();
	};
	menu.oncancel = (event) => {
		event.preventDefault();
		close();
	};
	list.addEventListener('keydown', (event) => {
		const all = [...list.children];
		const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];

		if (!by)
			return;
		event.preventDefault();
		all.at((all.indexOf(document.activeElement) + by) % all.length).focus();
	});
	document.body.append(menu);
	menu.showModal();
	const from = anchor.getBoundingClientRect();
	const box = menu.getBoundingClientRect();

	menu.style.left = `${Math.max(8, Math.min(from.right - box.width,
		innerWidth - box.width - 8))}px`;
	menu.style.top = `${from.bottom + box.height + 8 < innerHeight
		? from.bottom + 4 : Math.max(8, from.top - box.height - 4)}px`;
	list.firstElementChild?.focus();
}
