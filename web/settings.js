/*
 * settings - the dialogs about oneself and about the page
 */

import { button, element, setText, tell } from './dom.js';
import { wholeTime } from './format.js';
import { attempt, body, dialog, wordsOf } from './dialog.js';
import { looks, putLooks } from './keep.js';
import { SHORTCUTS } from './shortcuts.js';

const THEMES = [['auto', 'As the device'], ['light', 'Light'], ['dark', 'Dark']];

export function showTheme() {
	const { theme } = looks();

	if (theme === 'auto')
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
}

/*
 * calls: setProfile({displayName}), block(userId, isOn), signOut(),
 * changePassword(old, new), shortcuts()
 *
 * Whether there is a password to change the server alone knows, however one
 * has signed in.
 */
export function showSettings(model, calls) {
	const me = model.person(model.me);

	return dialog('You', (close) => [body(
		profile(me, calls), theme(), password(calls), blocked(model, calls),
		element('section', { className: 'part' },
			button('Keyboard shortcuts', () => {
				close();
				calls.shortcuts();
			}, 'quiet'),
			button('Sign out', () => {
				close();
				calls.signOut();
			}, 'danger')))]);
}

function profile(me, calls) {
	const name = element('input', { id: 'my-display-name', maxLength: 100,
		value: me?.displayName ?? '', autocomplete: 'name' });
	const form = element('form', { className: 'part fields' },
		element('p', { className: 'small' }, me ? `@${me.handle}` : ''),
		element('label', { for: 'my-display-name' }, 'Your name'), name,
		element('div', { className: 'row-of-buttons' },
			element('button', { type: 'submit' }, 'Save')));

	form.onsubmit = async (event) => {
		event.preventDefault();
		if (name.value.trim() && await attempt(
			calls.setProfile({ displayName: name.value.trim() })))
			tell('Saved.');
	};
	return form;
}

function theme() {
	return element('fieldset', { className: 'part kinds' },
		element('legend', {}, 'Looks'), ...THEMES.map(([value, words]) =>
			element('label', {}, element('input', { type: 'radio', name: 'theme',
				value, checked: looks().theme === value, onchange: () => {
					putLooks({ theme: value });
					showTheme();
				} }), element('span', {}, words))));
}

function password(calls) {
	const before = element('input', { id: 'old-password', type: 'password',
		autocomplete: 'current-password', required: true });
	const after = element('input', { id: 'new-password', type: 'password',
		autocomplete: 'new-password', minLength: 8, required: true });
	const note = element('p', { className: 'small', role: 'status' });
	const form = element('form', { className: 'fields' },
		element('label', { for: 'old-password' }, 'Password now'), before,
		element('label', { for: 'new-password' }, 'New password'), after,
		note, element('div', { className: 'row-of-buttons' },
			element('button', { type: 'submit' }, 'Change password')));

	form.onsubmit = async (event) => {
		event.preventDefault();
		setText(note, '');
		try {
			await calls.changePassword(before.value, after.value);
			form.reset();
			setText(note, 'Changed. Your other devices have to sign in again.');
		} catch (error) {
			setText(note, error.code === 'not_found'
				? 'There are no passwords here.' : wordsOf(error));
		}
	};
	return element('details', { className: 'part' },
		element('summary', {}, 'Change password'), form);
}

function blocked(model, calls) {
	const ids = model.blocked();

	return ids.length > 0 && element('section', { className: 'part' },
		element('h3', {}, 'Blocked people'),
		element('ul', { className: 'people' }, ...ids.map((id) => {
			const item = element('li', { className: 'person' },
				element('span', { className: 'who' },
					element('b', {}, model.nameOf(id) || 'Somebody')),
				element('span', { className: 'does' },
					button('Unblock', async () => {
						if (await attempt(calls.block(id, false)))
							item.remove();
					})));

			return item;
		})));
}

export function showShortcuts() {
	return dialog('Keyboard shortcuts', () => [body(
		...SHORTCUTS.map(([where, keys]) => element('section',
			{ className: 'part' }, element('h3', {}, where),
			element('dl', { className: 'keys' }, ...keys.flatMap(
				([key, words]) => [element('dt', {}, ...key.split(' ')
					.map((one) => element('kbd', {}, one))),
				element('dd', {}, words)])))))]);
}

/* Earlier bodies of a message, the newest first. */
export function showRevisions(load) {
	return dialog('Earlier versions', () => {
		const list = element('ol', { className: 'revisions' });
		const note = element('p', { className: 'small', role: 'status' },
			'Looking…');

		load().then((revisions) => {
			setText(note, revisions.length ? '' : 'There are none.');
			list.append(...revisions.map(({ body: text, writtenAt }) =>
				element('li', {}, element('p', { className: 'small' },
					wholeTime(Date.parse(writtenAt))),
				element('p', { className: 'text' }, text))));
		}, (error) => setText(note, wordsOf(error)));
		return [body(note, list)];
	});
}
