/*
 * dialog - one question at a time, in front of everything
 *
 * The browser's own <dialog>: the focus stays in it, Escape closes it, and
 * goes back to where it was.
 */

import { button, element, iconButton, tell } from './dom.js';

/*
 * open(close) gives the nodes to show; returns a promise of what close() was
 * given, undefined when it was dismissed.
 */
export function dialog(title, open, { className = '' } = {}) {
	return new Promise((resolve) => {
		const back = document.activeElement;
		let answer;
		const close = (value) => {
			answer = value;
			box.close();
		};
		const box = element('dialog', { className: `dialog ${className}`,
			'aria-labelledby': 'dialog-title' });

		box.append(element('header', { className: 'bar' },
			element('h2', { id: 'dialog-title' }, title),
			iconButton('close', 'Close', () => close())), ...open(close));
		box.onclose = () => {
			box.remove();
			if (back?.isConnected)
				back.focus({ preventScroll: true });
			resolve(answer);
		};
		box.onpointerdown = (event) => {
			if (event.target === box)
				close();
		};
		document.body.append(box);
		box.showModal();
		box.querySelector('[autofocus], .dialog-body input, .dialog-body select, .dialog-body button')
			?.focus();
	});
}

export function body(...nodes) {
	return element('div', { className: 'dialog-body' }, ...nodes);
}

/* Yes or no; the words of the button say what will be done. */
export function confirm(title, text, yes) {
	return dialog(title, (close) => [body(element('p', {}, text)),
		element('footer', { className: 'row-of-buttons' },
			element('button', { type: 'button', className: 'main danger',
				autofocus: true, onclick: () => close(true) }, yes),
			button('Cancel', () => close(false), 'quiet'))],
	{ className: 'is-small' });
}

const SLOW_MS = 4000;

const WORDS = {
	forbidden: 'You may not do that.',
	not_found: 'That is not there any more.',
	unknown_user: 'That person is not here any more.',
	conflict: 'Somebody else was quicker. Look again.',
	archived: 'This conversation is archived.',
	deleted: 'That message was deleted.',
	last_owner: 'Name another owner first: nobody else would be left to care for it.',
	invalid_credentials: 'That is not the password.',
	rate_limited: 'Too often. Wait a moment.',
	too_large: 'Too long.',
	disconnected: 'The server cannot be reached.',
	unavailable: 'The server is busy. Try again.',
};

export function wordsOf(error) {
	return WORDS[error.code] ?? error.message ?? 'That did not work.';
}

/* Does it; says so when it was refused or waits.  True when it was done. */
export async function attempt(promise) {
	const slow = setTimeout(() =>
		tell('No answer yet. It is tried until there is one.'), SLOW_MS);

	try {
		await promise;
		return true;
	} catch (error) {
		if (error.code !== 'closed')
			tell(wordsOf(error), { isError: true });
		return false;
	} finally {
		clearTimeout(slow);
	}
}
