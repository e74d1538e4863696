/*
 * chemchat-account - signing in with a handle and a password
 *
 * Holds one session: its token is refreshed when most of its life is over,
 * so that `token()`, which ChemChat takes as its `token` option, gives a good
 * one for as long as the server agrees.  A token that came from elsewhere (a
 * link) is held just so; if the server will not refresh it, it is used until
 * it ends.
 *
 * Stores nothing: `onChange(session)` says what to keep, null for nothing.
 */

import { ChemChatError, systemClock } from './chemchat-link.js';

const REFRESH_AT = 0.7;				/* of a token's life */
const RETRY_MS = 60000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const STALE_MS = 30000;				/* ends so soon that it is asked anew */

export class Account {
	#base;
	#fetch;
	#clock;
	#onChange;
	#session;					/* {token, userId, expiresAt, endsAtMs?}, or null */
	#timer = null;
	#refreshing = null;
	#isFixed = false;			/* the server does not refresh this one */

	/**
	 * @param {object} [options]
	 * @param {string} [options.base]  where /v1 is; default: this origin
	 * @param {object} [options.session]  what onChange was given earlier
	 * @param {function} [options.onChange]
	 * @param {function} [options.fetch]
	 * @param {object} [options.clock]
	 */
	constructor({ base = '', session = null, onChange = () => {},
		fetch = globalThis.fetch.bind(globalThis), clock = systemClock } = {}) {
		this.#base = base;
		this.#fetch = fetch;
		this.#clock = clock;
		this.#onChange = onChange;
		this.#session = session;
		this.#schedule();
	}

	get session() {
		return this.#session;
	}

	get userId() {
		return this.#session?.userId ?? claimsOf(this.#session?.token).sub ?? null;
	}

	/** Rejects with `invalid_credentials`, `rate_limited`, `not_found` (no
	 * local accounts here), `unavailable`. */
	async signIn(handle, password) {
		this.#take(await this.#call('POST', '/v1/sessions',
			{ body: { handle, password } }));
		return this.#session;
	}

	/** Ends the session at the server too, as far as it can be reached. */
	async signOut() {
		const { token } = this.#session ?? {};

		this.#forget();
		if (token)
			await this.#call('DELETE', '/v1/sessions/current',
				{ token, keepalive: true }).catch(() => {});
	}

	/** Other sessions of this person end; this one goes on. */
	async changePassword(oldPassword, newPassword) {
		this.#take(await this.#call('PUT', '/v1/me/password', {
			token: await this.token(), body: { oldPassword, newPassword } }));
		return this.#session;
	}

	/** A token for the next connection. */
	async token() {
		if (this.#session && !this.#isFixed &&
			this.#endsAtMs() - this.#clock.now() < STALE_MS)
			await this.#refresh();
		return this.#session?.token ?? '';
	}

	/** Stops refreshing; the session goes on. */
	close() {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = null;
	}

	/* By our clock, as far as we know when the token was new. */
	#endsAtMs() {
		const { token, expiresAt, endsAtMs } = this.#session;
		const { exp } = claimsOf(token);
		const told = Date.parse(expiresAt);

		return endsAtMs ?? (Number.isNaN(told) ? exp ? exp * 1000 : Infinity
			: told);
	}

	/* Our clock may be hours off: it counts the life of the token, no more. */
	#take(answer) {
		const { iat, exp } = claimsOf(answer.token);

		this.#session = { ...this.#session, token: answer.token,
			expiresAt: answer.expiresAt,
			endsAtMs: exp > iat ? this.#clock.now() + (exp - iat) * 1000
				: undefined,
			userId: answer.userId ?? this.#session?.userId };
		this.#isFixed = false;
		this.#onChange(this.#session);
		this.#schedule();
	}

	#forget() {
		this.close();
		this.#session = null;
		this.#onChange(null);
	}

	#schedule() {
		this.close();
		if (!this.#session || this.#isFixed)
			return;
		const leftMs = this.#endsAtMs() - this.#clock.now();

		if (leftMs > 0 && leftMs < Infinity)
			this.#timer = this.#clock.setTimeout(() => this.#refresh(),
				Math.min(LONGEST_TIMER_MS, leftMs * REFRESH_AT));
	}

	/* One at a time; whoever asks meanwhile waits for the same. */
	#refresh() {
		this.#refreshing ??= this.#refreshNow()
			.finally(() => { this.#refreshing = null; });
		return this.#refreshing;
	}

	async #refreshNow() {
		const { token } = this.#session;

		try {
			const answer = await this.#call('POST', '/v1/sessions/refresh',
				{ token });

			if (this.#session?.token === token)
				this.#take(answer);
		} catch (error) {
			if (this.#session?.token !== token)
				return;
			if (isPassing(error.code))
				this.#timer = this.#clock.setTimeout(() => this.#refresh(),
					error.retryAfterMs ?? RETRY_MS);
			else
				this.#isFixed = true;
		}
	}

	async #call(method, path, { body, token, keepalive }) {
		let answer;

		try {
			answer = await this.#fetch(this.#base + path, { method, keepalive,
				headers: {
					...(body && { 'content-type': 'application/json' }),
					...(token && { authorization: `Bearer ${token}` }),
				},
				credentials: 'omit', cache: 'no-store',
				body: body && JSON.stringify(body) });
		} catch {
			throw new ChemChatError({ code: 'disconnected' });
		}
		const fields = await answer.json().catch(() => ({}));

		if (answer.ok)
			return fields;
		throw new ChemChatError({
			code: fields.code ?? codeOf(answer.status),
			message: fields.detail ?? fields.title, field: fields.field,
			retryAfterMs: fields.retryAfterMs,
		});
	}
}

/** What a token says, without believing it. */
export function claimsOf(token) {
	try {
		return JSON.parse(atob(token.split('.')[1]
			.replace(/-/gu, '+').replace(/_/gu, '/')));
	} catch {
		return {};
	}
}

/* Of an answer that is not the gateway's own (a proxy's). */
function codeOf(status) {
	return status === 401 ? 'invalid_credentials'
		: status === 404 || status === 405 ? 'not_found'
			: status === 429 ? 'rate_limited'
				: status >= 500 ? 'unavailable' : 'invalid_argument';
}

function isPassing(code) {
	return ['disconnected', 'unavailable', 'rate_limited', 'busy',
		'unknown_outcome', 'internal'].includes(code);
}
