/*
 * shortcuts - what the keyboard does, in one table
 *
 * The dialog that `?` opens shows it, docs/web.md repeats it (a test compares
 * them).  Keys of a message and of the box are handled where they are typed
 * (actions.js, composer.js); those of everywhere, here.
 */

export const SHORTCUTS = [
	['Everywhere', [
		['?', 'This list'],
		['Ctrl K', 'Find a conversation'],
		['Alt N', 'New conversation'],
		['Alt ↑', 'The conversation above'],
		['Alt ↓', 'The conversation below'],
		['Alt Shift ↑', 'The unread one above'],
		['Alt Shift ↓', 'The unread one below'],
		['Alt M', 'Mentions'],
		['Alt D', 'Details of the conversation'],
		['Escape', 'Close; back to the box'],
	]],
	['Where you write', [
		['Enter', 'Send'],
		['Shift Enter', 'A new line'],
		['↑', 'Edit your last message, when the box is empty'],
		['@', 'Mention somebody'],
		['Escape', 'Into the messages'],
	]],
	['On a message', [
		['↑ ↓', 'The message before, after'],
		['Enter', 'What can be done with it'],
		['R', 'Reply'],
		['T', 'Thread'],
		['+', 'React'],
		['E', 'Edit'],
		['C', 'Copy'],
		['Delete', 'Delete'],
		['Escape', 'Back to the box'],
	]],
];

const WITH_ALT = { n: 'begin', m: 'mentions', d: 'details' };

/* calls: shortcuts, find, begin, mentions, details, escape,
 * neighbour(by, isUnread) */
export function listenForShortcuts(calls) {
	addEventListener('keydown', (event) => {
		const call = callOf(event, calls);

		if (!call || event.defaultPrevented ||
			document.querySelector('dialog[open]'))
			return;
		event.preventDefault();
		call();
	});
}

function callOf(event, calls) {
	const { key, altKey, shiftKey } = event;
	const isCommand = event.ctrlKey || event.metaKey;

	if (isCommand && !altKey && !shiftKey && key.toLowerCase() === 'k')
		return calls.find;
	if (altKey && !isCommand && (key === 'ArrowUp' || key === 'ArrowDown'))
		return () => calls.neighbour(key === 'ArrowUp' ? -1 : 1, shiftKey);
	if (altKey && !isCommand && WITH_ALT[letterOf(event)])
		return calls[WITH_ALT[letterOf(event)]];
	if (key === 'Escape' && event.target === document.body)
		return calls.escape;
	if (key === '?' && !isCommand && !altKey &&
		!event.target.closest?.('input, textarea, select'))
		return calls.shortcuts;
	return undefined;
}

/* What stands on the key, where Alt makes another character of it (a Mac). */
function letterOf({ key, code }) {
	return /^[a-z]$/iu.test(key) ? key.toLowerCase()
		: code.replace(/^Key/u, '').toLowerCase();
}
