/*
 * app - where the page begins: whose it is, and what it looks like
 */

import { Account } from './chemchat-account.js';
import { Desk } from './desk.js';
import { byId, setText } from './dom.js';
import { keepSession, keptSession, takeToken } from './keep.js';
import { showTheme } from './settings.js';

const REFUSALS = {
	invalid_credentials: 'That handle and password do not belong together.',
	rate_limited: 'Too many tries. Wait a moment.',
	not_found: 'There are no passwords here: use the link or the token you ' +
		'were given.',
	disconnected: 'The server cannot be reached.',
	unavailable: 'The server is busy. Try again.',
};

function askWho(account, reason = '') {
	/* what stood in front of the conversations stands before nothing now */
	document.querySelectorAll('dialog[open]').forEach((node) => node.close());
	byId('app').hidden = true;
	byId('sign-in').hidden = false;
	sayWhy(reason);
	byId('sign-in-form').onsubmit = (event) => {
		event.preventDefault();
		signIn(account);
	};
	byId('token-form').onsubmit = (event) => {
		event.preventDefault();
		keepSession({ token: byId('token').value.trim() }, byId('stay').checked);
		location.reload();
	};
	byId('handle').focus();
}

function sayWhy(text, { isError = false } = {}) {
	setText(byId('sign-in-reason'), text);
	byId('sign-in-reason').classList.toggle('is-error', isError);
}

async function signIn(account) {
	const submit = byId('sign-in-form').querySelector('[type="submit"]');

	submit.disabled = true;
	sayWhy('Signing in…');
	try {
		const session = await account.signIn(
			byId('handle').value.trim().toLowerCase(), byId('password').value);

		keepSession(session, byId('stay').checked);
		location.reload();
	} catch (error) {
		sayWhy(REFUSALS[error.code] ?? 'That did not work. Try again.',
			{ isError: true });
		byId('password').value = '';
		byId('by-token').open = error.code === 'not_found' ||
			byId('by-token').open;
		submit.disabled = false;
		byId('password').focus();
	}
}

async function main() {
	showTheme();
	navigator.serviceWorker?.register('sw.js').catch(() => {});
	takeToken();
	addEventListener('hashchange', () => {
		if (takeToken())
			location.reload();
	});
	const session = keptSession();

	if (!session?.token) {
		askWho(new Account(), 'Sign in, or open the link you were given.');
		return;
	}
	const account = new Account({ session, onChange: keepSession });
	const desk = new Desk(account, ({ isWanted = false } = {}) => {
		account.close();
		keepSession(null);
		desk.close();
		if (isWanted) {
			history.replaceState(null, '', location.pathname);
			location.reload();
			return;
		}
		askWho(new Account(), 'Your sign-in has ended. Sign in again, or ' +
			'open a new link.');
	});

	await desk.open();
	addEventListener('hashchange', () => desk.route({ isChosen: true }));
	addEventListener('online', () => desk.wake());
	addEventListener('pagehide', () => desk.flush());
	document.addEventListener('visibilitychange', () => {
		desk.wake();
		if (document.visibilityState === 'hidden')
			desk.flush();
	});
}

main();
