/*
 * details - a conversation in the pane: what it is, who is in it, what of it
 * one wants to hear, and what one may change
 */

import { button, element, iconButton, reconcile, setText } from './dom.js';
import { ROLES, may, mayRemove, rolesToGive } from './may.js';
import { paintAvatar } from './row.js';

const HOUR_MS = 3600000;
const MUTES = [['off', 'Not muted'], ['hour', 'Muted for an hour'],
	['day', 'Muted for a day'], ['on', 'Muted']];
const NOTIFY = [['all', 'Every message'], ['mentions', 'Mentions only'],
	['none', 'Nothing']];

export class Details {
	#model;
	#calls;
	#parts = {};
	id;
	title = 'Details';

	/*
	 * calls: onUpdate(id, fields), onPreference(id, fields), onRole(id,
	 * userId, role), onRemove(id, userId), onInvite(id), onAdd(id),
	 * onLeave(id), onBlock(userId, isOn), onOpen(id), onClose()
	 */
	constructor(model, id, calls) {
		this.#model = model;
		this.#calls = calls;
		this.id = id;
	}

	open(body) {
		const part = (name, ...nodes) => {
			this.#parts[name] = element('section', { className: `part ${name}` },
				...nodes);
			body.append(this.#parts[name]);
		};

		part('about');
		part('hear', element('h3', {}, 'Notifications'),
			choice('mute', 'Mute', MUTES, (value) => this.#mute(value)),
			choice('notify', 'Notify me of', NOTIFY, (notify) =>
				this.#calls.onPreference(this.id, { notify })));
		part('members', element('h3', {}, 'Members'),
			element('div', { className: 'row-of-buttons' }),
			element('ul', { className: 'people' }),
			element('p', { className: 'small' }));
		part('leave');
		this.#calls.onOpen(this.id);
	}

	render() {
		const known = this.#model.conversation(this.id);

		if (!known) {
			this.#calls.onClose();
			return;
		}
		this.#about(known);
		this.#hear(known);
		this.#members(known);
		this.#leave(known);
	}

	/* ---- what it is ---- */

	#about(known) {
		const stamp = [known.kind, known.title, known.topic, known.isPublic,
			known.archivedAt, known.role, this.#model.peerOf(known),
			this.#model.titleOf(known),
			this.#model.isBlocked(this.#model.peerOf(known))].join('\0');
		const { about } = this.#parts;

		/* what is being typed there is not drawn over */
		if (about.dataset.stamp === stamp ||
			(about.dataset.stamp && about.contains(document.activeElement) &&
			document.activeElement.matches('input, textarea')))
			return;
		about.dataset.stamp = stamp;
		about.replaceChildren(...known.kind === 'direct'
			? this.#aboutPeer(known)
			: may({ ...known, archivedAt: undefined }, 'update')
				? this.#aboutForm(known) : this.#aboutText(known));
	}

	#aboutPeer(known) {
		const peer = this.#model.peerOf(known);
		const person = this.#model.person(peer);
		const isBlocked = this.#model.isBlocked(peer);

		return [element('p', { className: 'large' }, this.#model.titleOf(known)),
			person && element('p', { className: 'small' }, `@${person.handle}`,
				person.isBot ? ' · bot' : '',
				person.deactivatedAt ? ' · deactivated' : ''),
			peer && button(isBlocked ? 'Unblock' : 'Block', () =>
				this.#calls.onBlock(peer, !isBlocked),
			isBlocked ? '' : 'danger')].filter(Boolean);
	}

	#aboutText(known) {
		return [element('p', { className: 'large' }, this.#model.titleOf(known)),
			known.topic && element('p', { className: 'topic' }, known.topic),
			element('p', { className: 'small' }, kindOf(known))].filter(Boolean);
	}

	#aboutForm(known) {
		const title = element('input', { id: 'edit-title', maxLength: 200,
			value: known.title ?? '', autocomplete: 'off' });
		const topic = element('textarea', { id: 'edit-topic', rows: 3,
			maxLength: 1000, value: known.topic ?? '' });
		const open = element('input', { type: 'checkbox', id: 'edit-public',
			checked: known.isPublic,
			disabled: !may(known, 'publish') });
		const isArchived = Boolean(known.archivedAt);
		const form = element('form', { className: 'fields' },
			element('label', { for: 'edit-title' }, 'Name'), title,
			element('label', { for: 'edit-topic' }, 'Topic'), topic,
			known.kind === 'channel' && element('label', { className: 'check' },
				open, ' Anybody may find and join it'),
			element('div', { className: 'row-of-buttons' },
				element('button', { type: 'submit', disabled: isArchived },
					'Save'),
				button(isArchived ? 'Bring back' : 'Archive', () =>
					this.#calls.onUpdate(this.id, { isArchived: !isArchived }),
				'quiet')),
			element('p', { className: 'small' }, kindOf(known)));

		form.onsubmit = (event) => {
			event.preventDefault();
			document.activeElement.blur();
			this.#calls.onUpdate(this.id, {
				title: changed(title.value.trim(), known.title ?? ''),
				topic: changed(topic.value.trim(), known.topic ?? ''),
				isPublic: changed(open.checked, known.isPublic),
			});
		};
		return [form];
	}

	/* ---- what one wants to hear of it ---- */

	#hear(known) {
		const isSilent = this.#model.isSilent(known);
		const mute = this.#parts.hear.querySelector('#mute');
		const until = isSilent && known.mutedUntil
			? new Date(known.mutedUntil) : null;

		setValue(mute, !isSilent ? 'off' : until ? 'hour' : 'on');
		setText(mute.querySelector('[value="hour"]'), until
			? `Muted until ${until.toLocaleTimeString(undefined,
				{ hour: 'numeric', minute: '2-digit' })}` : MUTES[1][1]);
		setValue(this.#parts.hear.querySelector('#notify'),
			known.notify ?? 'all');
	}

	#mute(value) {
		const forMs = { hour: HOUR_MS, day: 24 * HOUR_MS }[value];

		this.#calls.onPreference(this.id, { isMuted: value !== 'off',
			mutedUntil: forMs && new Date(Date.now() + forMs).toISOString() });
	}

	/* ---- who is in it ---- */

	#members(known) {
		const { members } = this.#parts;
		const [head, buttons, list, note] = members.children;

		members.hidden = known.kind === 'direct';
		if (members.hidden)
			return;
		const all = [...known.members.values()]
			.filter((member) => member.state !== 'removed')
			.sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) ||
				(this.#model.nameOf(a.userId) < this.#model.nameOf(b.userId)
					? -1 : 1));

		setText(head, capital(known.membersInWords() || 'members'));
		const wanted = [may(known, 'add_member') && 'add',
			may(known, 'invite') && 'invite'].filter(Boolean);

		if (buttons.dataset.wanted !== wanted.join()) {
			buttons.dataset.wanted = wanted.join();
			buttons.replaceChildren(...wanted.map((verb) => verb === 'add'
				? button('Add people', () => this.#calls.onAdd(this.id))
				: button('Invite', () => this.#calls.onInvite(this.id), 'quiet')));
		}
		reconcile(list, all.map((member) => ({ key: member.userId, member })),
			() => makePerson(), (node, { member }) =>
				this.#person(node, known, member));
		setText(note, known.hasMoreMembers
			? 'The others are too many to be listed here.' : '');
	}

	#person(node, known, member) {
		const { userId, role, state } = member;
		const name = this.#model.nameOf(userId) || '…';
		const isMe = userId === this.#model.me;
		const roles = isMe ? [] : rolesToGive(known, role);
		const isRemovable = !isMe && mayRemove(known, role);
		const stamp = [name, this.#model.handleOf(userId), role, state, isMe,
			roles.length, isRemovable].join('\0');

		if (node.dataset.stamp === stamp)
			return;
		node.dataset.stamp = stamp;
		paintAvatar(node.querySelector('.avatar'), name, userId);
		setText(node.querySelector('.who b'), isMe ? `${name} (you)` : name);
		setText(node.querySelector('.who span'),
			`@${this.#model.handleOf(userId)}${
				state === 'invited' ? ' · invited' : ''}`);
		const select = element('select', { 'aria-label': `Role of ${name}`,
			onchange: () => this.#calls.onRole(this.id, userId, select.value) },
		...roles.map((one) => element('option', { value: one }, one)));

		select.value = role;
		node.querySelector('.does').replaceChildren(...[
			roles.length && state === 'joined' ? select
				: element('span', { className: 'small' }, role),
			isRemovable && iconButton('close', `Remove ${name}`, () =>
				this.#calls.onRemove(this.id, userId), { size: 16 }),
		].filter(Boolean));
	}

	#leave(known) {
		const isThere = known.kind !== 'direct';

		if ((this.#parts.leave.childElementCount > 0) === isThere)
			return;
		this.#parts.leave.replaceChildren(...isThere ? [button('Leave', () =>
			this.#calls.onLeave(this.id), 'danger')] : []);
	}
}

function kindOf(known) {
	return known.kind === 'group' ? 'A group: only for its members.'
		: known.isPublic ? 'A channel that anybody may join.'
			: 'A channel: only for its members.';
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

const changed = (now, before) => now === before ? undefined : now;

function setValue(select, value) {
	if (select.value !== value && document.activeElement !== select)
		select.value = value;
}

function choice(id, label, options, onPick) {
	const select = element('select', { id, onchange: () =>
		onPick(select.value) }, ...options.map(([value, words]) =>
		element('option', { value }, words)));

	return element('p', { className: 'choice' },
		element('label', { for: id }, label), select);
}

export function makePerson() {
	return element('li', { className: 'person' },
		element('span', { className: 'avatar', 'aria-hidden': 'true' }),
		element('span', { className: 'who' }, element('b', {}),
			element('span', {})),
		element('span', { className: 'does' }));
}
