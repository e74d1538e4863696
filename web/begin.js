/*
 * begin - dialogs that end in a conversation: a new one, a public channel, a
 * place where one was mentioned
 */

import { arrowKeys, button, element, reconcile, setText } from './dom.js';
import { oneLine, plural, shortTime } from './format.js';
import { PeopleSearch } from './people.js';
import { body, dialog } from './dialog.js';
import { paintAvatar } from './row.js';

const KINDS = [['direct', 'Direct message'], ['group', 'Group'],
	['channel', 'Channel']];
const PAUSE_MS = 200;

/* {kind, title, topic, isPublic, members}, or undefined. */
export function askNew(options) {
	return dialog('New conversation', (close) => {
		const search = new PeopleSearch({ ...options, isSingle: true });
		const title = element('input', { id: 'new-title', maxLength: 200,
			autocomplete: 'off' });
		const topic = element('input', { id: 'new-topic', maxLength: 1000,
			autocomplete: 'off' });
		const isPublic = element('input', { id: 'new-public', type: 'checkbox' });
		const named = element('div', { className: 'fields', hidden: true },
			element('label', { for: 'new-title' }, 'Name'), title,
			element('label', { for: 'new-topic' }, 'Topic'), topic);
		const open = element('label', { className: 'check', hidden: true },
			isPublic, ' Anybody may find and join it');
		const done = element('button', { type: 'submit', className: 'main',
			disabled: true }, 'Begin');
		let kind = 'direct';
		const judge = () => {
			done.disabled = kind === 'direct' ? search.chosen.size !== 1
				: title.value.trim() === '';
		};
		const kinds = element('fieldset', { className: 'kinds' },
			element('legend', { className: 'unseen' }, 'Kind'),
			...KINDS.map(([value, words]) => {
				const radio = element('input', { type: 'radio', name: 'kind',
					value, checked: value === kind, onchange: () => {
						kind = value;
						named.hidden = kind === 'direct';
						open.hidden = kind !== 'channel';
						search.setSingle(kind === 'direct');
						judge();
					} });

				return element('label', {}, radio, element('span', {}, words));
			}));
		const form = element('form', {}, body(kinds, named, search.node, open),
			element('footer', { className: 'row-of-buttons' }, done));

		title.oninput = judge;
		search.onChange = judge;
		form.onsubmit = (event) => {
			event.preventDefault();
			if (!done.disabled)
				close({ kind, members: [...search.chosen.keys()],
					...(kind !== 'direct' && { title: title.value.trim(),
						topic: topic.value.trim() || undefined }),
					...(kind === 'channel' && { isPublic: isPublic.checked }) });
		};
		return [form];
	});
}

/* The channel to open or join: {id, isMember}, or undefined. */
export function askChannel(find) {
	return dialog('Public channels', (close) => {
		const input = element('input', { id: 'find-channel', type: 'search',
			placeholder: 'Find a channel', autocomplete: 'off',
			autofocus: true, 'aria-label': 'Find a channel' });
		const list = element('ul', { className: 'people' });
		const note = element('p', { className: 'small', role: 'status' },
			'Looking…');
		let serial = 0, timer = null;
		const show = (channels) => {
			setText(note, channels.length ? '' : 'There is none so far.');
			reconcile(list, channels.map((channel) =>
				({ key: channel.conversationId, channel })),
			({ channel }) => makeChannel(channel, close), () => {});
		};
		const search = async () => {
			const mine = ++serial;

			try {
				const channels = await find(input.value.trim());

				if (mine === serial)
					show(channels);
			} catch {
				setText(note, 'The search did not work.');
			}
		};

		input.oninput = () => {
			clearTimeout(timer);
			timer = setTimeout(search, PAUSE_MS);
		};
		arrowKeys(list, 'button');
		search();
		return [body(input, note, list)];
	});
}

function makeChannel({ conversationId: id, title, topic, members, isMember },
	close) {
	const avatar = element('span', { className: 'avatar', 'aria-hidden': 'true' });

	paintAvatar(avatar, title ?? '?', id);
	return element('li', { className: 'person' }, avatar,
		element('span', { className: 'who' }, element('b', {}, `# ${title ?? ''}`),
			element('span', {}, [plural(members, 'member'),
				topic && oneLine(topic, 90)].filter(Boolean).join(' · '))),
		element('span', { className: 'does' }, button(isMember ? 'Open' : 'Join',
			() => close({ id, isMember }), isMember ? 'quiet' : '')));
}

/* The message to go to: {conversationId, seq}, or undefined. */
export function askMention(load, model) {
	return dialog('Mentions', (close) => {
		const list = element('ul', { className: 'people' });
		const note = element('p', { className: 'small', role: 'status' },
			'Looking…');

		arrowKeys(list, 'button');
		load().then((events) => {
			setText(note, events.length ? '' : 'Nobody has mentioned you yet.');
			list.append(...events.map((event) => {
				const known = model.conversation(event.conversationId);
				const name = model.nameOf(event.sender) || 'Somebody';
				const avatar = element('span',
					{ className: 'avatar', 'aria-hidden': 'true' });

				paintAvatar(avatar, name, event.sender);
				return element('li', { className: 'person' }, element('button',
					{ type: 'button', onclick: () => close(event) }, avatar,
					element('span', { className: 'who' },
						element('b', {}, `${name} · ${known
							? model.titleOf(known) : '…'}`),
						element('span', {}, oneLine(event.body ?? '', 160))),
					element('span', { className: 'does small' }, shortTime(
						Date.parse(event.createdAt), Date.now()))));
			}));
			list.querySelector('button')?.focus();
		}, () => setText(note, 'That did not work.'));
		return [body(note, list)];
	});
}
