/*
 * doings - what the reader does, carried out
 *
 * The views say what was pressed; here it becomes a request, a dialog or a
 * place to go to.  What was refused is told in words.
 */

import { Details } from './details.js';
import { Replies } from './replies.js';
import { askChannel, askMention, askNew } from './begin.js';
import { attempt, confirm } from './dialog.js';
import { choosePeople } from './people.js';
import { showRevisions, showSettings, showShortcuts } from './settings.js';
import { may, mayDo } from './may.js';
import { oneLine } from './format.js';
import { tell } from './dom.js';

const REVISIONS_AT_ONCE = 200;

export class Doings {
	#of;						/* everything the desk has */

	constructor(of) {
		this.#of = of;
	}

	/* ---- a conversation's messages ---- */

	ofThread() {
		const { chat, edits, keep, feed, model } = this.#of;

		return {
			onSend: (id, body, replyTo) => chat.send(id, body, { replyTo }),
			onRetry: (id) => chat.retry(id),
			onDiscard: (id) => chat.discard(id),
			onEdit: (id, row, body) => edits.put(id, row, body),
			onDiscardEdit: (id, row) => edits.discard(id, row.seq),
			onDelete: (id, row) => this.#delete(id, row),
			onReact: (id, seq, emoji, isOn) =>
				attempt(chat.react(id, seq, emoji, isOn)),
			onRevisions: (id, row) =>
				showRevisions(() => this.#revisions(id, row.seq)),
			onThread: (root) => this.#openThread(root),
			onDetails: () => this.details(),
			onOlder: (id) => feed.older(id),
			onNewer: (id) => feed.newer(id),
			onNewest: (id) => feed.newest(id),
			onJump: (id, seq) => feed.around(id, seq),
			onSeen: (id, seq) => this.#seen(id, seq),
			onEscape: () => this.#of.thread().focusLog(),
			draft: (id) => keep.draft(id),
			putDraft: (id, text) => keep.putDraft(id, text),
			editDraft: (id) => keep.editDraft(id),
			putEditDraft: (id, edit) => keep.putEditDraft(id, edit),
			people: (id) => this.#peopleOf(id),
			me: () => model.me,
		};
	}

	/* All of them, the newest first. */
	async #revisions(id, seq) {
		const all = [];
		let page;

		do {
			page = await this.#of.chat.revisions(id, seq,
				{ afterRev: all.at(-1)?.rev });
			all.push(...page);
		} while (page.length === REVISIONS_AT_ONCE);
		return all.reverse();
	}

	#seen(id, seq) {
		if (this.#of.model.markRead(id, seq)) {
			this.#of.chat.mark(id, { readSeq: seq });
			this.#of.store.changed([id]);
		}
	}

	/* Whom an @ may mean. */
	#peopleOf(id) {
		const { model } = this.#of;
		const known = model.conversation(id);
		const people = (known?.joined() ?? [])
			.filter((member) => member.userId !== model.me)
			.map((member) => model.person(member.userId)).filter(Boolean);

		return known && may(known, 'mention_all') && known.kind !== 'direct'
			? [...people, { handle: 'all', displayName: 'Everybody here' }]
			: people;
	}

	async #delete(id, row) {
		if (await confirm('Delete this message?',
			`“${oneLine(row.body, 200)}” is deleted for everybody, with its ` +
			'earlier versions.', 'Delete') &&
			await attempt(this.#of.chat.delete(id, row.seq)))
			this.#of.edits.discard(id, row.seq);
	}

	#openThread(root) {
		const { model, feed, pane, thread } = this.#of;
		const { id } = thread();
		const calls = this.ofThread();

		if (pane.held instanceof Replies && pane.held.root === root)
			return;
		pane.open(new Replies(model, id, root, { ...calls,
			onOpen: () => feed.thread(id, root),
			onClose: () => pane.close(),
			onQuote: (seq) => thread().show(seq),
			may: (verb, row) => mayDo(model.conversation(id), verb, row) }));
	}

	/* ---- a conversation's details ---- */

	details() {
		const { model, pane, feed, chat, thread } = this.#of;
		const { id } = thread();

		if (!id || pane.held instanceof Details) {
			pane.close();
			return;
		}
		pane.open(new Details(model, id, {
			onOpen: () => feed.people(id),
			onClose: () => pane.close(),
			onUpdate: async (_, fields) => {
				if (await attempt(chat.update(id, fields)))
					tell('Saved.');
			},
			onPreference: (_, fields) => attempt(chat.setPreference(id, fields)),
			onRole: (_, userId, role) => attempt(chat.setRole(id, userId, role)),
			onRemove: (_, userId) => this.#remove(id, userId),
			onAdd: () => this.#bring(id, 'Add people', 'Add',
				(userId) => chat.addMember(id, userId)),
			onInvite: () => this.#bring(id, 'Invite people', 'Invite',
				(userId) => chat.invite(id, userId)),
			onLeave: () => this.#leave(id),
			onBlock: (userId, isOn) => this.#block(userId, isOn),
		}));
	}

	async #remove(id, userId) {
		const { model, chat } = this.#of;

		if (await confirm('Remove a member?', `${model.nameOf(userId)} will ` +
			'not see anything of this conversation any more.', 'Remove'))
			await attempt(chat.removeMember(id, userId));
	}

	async #bring(id, title, yes, call) {
		const known = this.#of.model.conversation(id);
		const chosen = await choosePeople(title, yes, this.#search(
			new Set(known.joined().map((member) => member.userId))));

		for (const userId of chosen ?? []) {
			if (!await attempt(call(userId)))
				return;
		}
	}

	async #leave(id) {
		const { model, chat } = this.#of;
		const title = model.titleOf(model.conversation(id));

		if (await confirm('Leave this conversation?',
			`You will not see anything of “${title}” any more.`, 'Leave'))
			await attempt(chat.leave(id));
	}

	async #block(userId, isOn) {
		const { model, chat } = this.#of;

		if (!isOn || await confirm('Block this person?',
			`${model.nameOf(userId)} and you can then not write to each other ` +
			'alone. Nobody is told.', 'Block'))
			await attempt(chat.block(userId, isOn));
	}

	#search(excluded) {
		const { model, chat } = this.#of;

		excluded.add(model.me);
		return { find: (query) => chat.findUsers(query), excluded,
			known: model.people() };
	}

	/* ---- the list ---- */

	ofSidebar() {
		const { chat, feed } = this.#of;

		return {
			onConnect: () => chat.wake(),
			onNew: () => this.begin(),
			onChannels: () => this.#channels(),
			onMentions: () => this.mentions(),
			onSettings: () => this.#settings(),
			onAccept: (id) => this.#join(id),
			onDecline: (id) => this.#decline(id),
			onSeen: (ids) => feed.preview(ids),
		};
	}

	ofKeyboard() {
		return { begin: () => this.begin(), mentions: () => this.mentions(),
			details: () => this.details(), shortcuts: () => showShortcuts() };
	}

	async begin() {
		const wanted = await askNew(this.#search(new Set()));

		if (!wanted)
			return;
		let made;

		if (await attempt(this.#of.chat.create(wanted)
			.then((answer) => { made = answer; })))
			this.#of.open(made.conversationId);
	}

	async #channels() {
		const { chat, open } = this.#of;
		const chosen = await askChannel((query) => chat.channels(
			{ query, maxRows: 200 }));

		if (chosen?.isMember)
			open(chosen.id);
		else if (chosen)
			this.#join(chosen.id);
	}

	async #join(id) {
		if (await attempt(this.#of.chat.join(id))) {
			this.#forgetInvitation(id);
			this.#of.open(id);
		}
	}

	async #decline(id) {
		if (await attempt(this.#of.chat.leave(id)))
			this.#forgetInvitation(id);
	}

	#forgetInvitation(id) {
		this.#of.forgetInvitation(id);
		this.#of.draw();
	}

	async mentions() {
		const { chat, model, open, thread } = this.#of;
		const chosen = await askMention(() => chat.mentions(), model);

		if (!chosen)
			return;
		open(chosen.conversationId);
		setTimeout(() => thread().show(chosen.seq));
	}

	#settings() {
		const { account, chat, keep, store, model, ended } = this.#of;

		showSettings(model, {
			setProfile: (fields) => chat.setProfile(fields),
			block: (userId, isOn) => chat.block(userId, isOn),
			shortcuts: () => showShortcuts(),
			changePassword: (before, after) =>
				account.changePassword(before, after),
			signOut: async () => {
				chat.close();
				keep.forget();
				await Promise.all([store.forget(), account.signOut()]);
				ended({ isWanted: true });
			},
		});
	}
}
