/*
 * replies - a thread in the pane: its first message, the replies, a box
 */

import { byId, element, reconcile, setText } from './dom.js';
import { plural, startOfDay } from './format.js';
import { Actions } from './actions.js';
import { Composer } from './composer.js';
import { RowPainter } from './row.js';
import { threadRows } from './timeline.js';
import { may } from './may.js';

const BOTTOM_PX = 60;			/* this near is at the bottom */

let composer = null;			/* one for the page's only pane */
let current = null;

export class Replies {
	#model;
	#calls;
	#painter;
	#list;
	#note;
	#rows = [];
	#wasCount = 0;
	id;
	root;
	title = 'Thread';

	/* calls: as those of thread.js, and may(verb, row) */
	constructor(model, id, root, calls) {
		this.#model = model;
		this.#calls = calls;
		this.id = id;
		this.root = root;
		this.#painter = new RowPainter(model, { onRetry: calls.onRetry,
			onDiscard: calls.onDiscard, onQuote: calls.onQuote,
			onReact: (row, emoji, isOn) =>
				calls.onReact(id, row.seq, emoji, isOn),
			onFold: () => this.render(),
			onEdit: (row) => composer.edit(row),
			onDiscardEdit: (row) => calls.onDiscardEdit(id, row),
		}, { inThread: true });
	}

	open(body) {
		current = this;
		this.#list = element('ol', { className: 'log', 'aria-label': 'Replies' });
		this.#note = element('p', { className: 'empty' });
		body.append(this.#list, this.#note);
		/* the form outlives the thread: it asks for the one that is open */
		composer ??= new Composer(byId('pane-composer'), {
			onSend: (text, replyTo) => current.#send(text, replyTo),
			onEdit: (row, text) => current.#calls.onEdit(current.id, row, text),
			onDraft: (text) => current.#calls.putDraft(current.#draftName(), text),
			onEditDraft: (edit) =>
				current.#calls.putEditDraft(current.#draftName(), edit),
			onEditLast: () => current.#editLast(),
			onEscape: () => current.#calls.onClose(),
			people: () => current.#calls.people(current.id),
		}, { prefix: 'reply-', words: 'Reply' });
		byId('pane-composer').hidden = false;
		composer.open(this.#calls.draft(this.#draftName()),
			'Reply in the thread', this.#calls.editDraft(this.#draftName()));
		const actions = new Actions(this.#list, (node) => this.#rowOf(node), {
			me: () => this.#model.me,
			onReact: (row, emoji, isOn) =>
				this.#calls.onReact(this.id, row.seq, emoji, isOn),
			onReply: (row) => composer.reply(row, row.isOwn ? 'yourself'
				: this.#model.nameOf(row.sender)),
			onEdit: (row) => composer.edit(row),
			onDelete: (row) => this.#calls.onDelete(this.id, row),
			onRevisions: (row) => this.#calls.onRevisions(this.id, row),
			may: this.#calls.may,
			toComposer: () => composer.focus(),
			step: (node, by) => (by < 0 ? node.previousElementSibling
				: node.nextElementSibling)?.focus(),
		});

		this.refresh = () => actions.refresh();
		this.#calls.onOpen(this.id, this.root);
		if (matchMedia('(pointer: fine)').matches)
			composer.focus();
	}

	render() {
		const known = this.#model.conversation(this.id);

		if (!known) {
			this.#calls.onClose();
			return;
		}
		const peer = this.#model.peerOf(known);
		const scroll = byId('pane-body');
		const isAtEnd = this.#wasCount === 0 || scroll.scrollHeight -
			scroll.scrollTop - scroll.clientHeight < BOTTOM_PX;

		byId('pane-composer').hidden = !may(known, 'send') ||
			Boolean(peer && this.#model.isBlocked(peer));
		this.#rows = threadRows(this.#model, known, this.root, startOfDay);
		const replies = Math.max(0, this.#rows.length - 1);

		this.title = replies ? `Thread · ${plural(replies, 'reply', 'replies')}`
			: 'Thread';
		reconcile(this.#list, this.#rows, () => this.#painter.make(),
			(node, row) => this.#painter.fill(node, row, known));
		setText(this.#note, replies ? '' : 'No replies yet.');
		this.#note.hidden = replies > 0;
		this.refresh?.();
		/* what is read stays where it is, but for what one says oneself */
		if (this.#rows.length !== this.#wasCount) {
			this.#wasCount = this.#rows.length;
			if (isAtEnd || this.#rows.at(-1)?.state === 'pending')
				scroll.scrollTop = scroll.scrollHeight;
		}
	}

	#rowOf(node) {
		return this.#rows.find((row) => row.key === node.dataset.key);
	}

	#send(text, replyTo) {
		this.#calls.onSend(this.id, text, replyTo ?? this.root);
	}

	#editLast() {
		const row = this.#rows.findLast((one) => one.isOwn &&
			one.state === 'sent');

		if (row)
			composer.edit(row);
	}

	#draftName() {
		return `${this.id}/${this.root}`;
	}
}
