/*
 * chemchat-link - one signed-in WebSocket that comes back by itself
 *
 * Connects, says hello, waits for welcome; matches answers to requests by
 * `ref`; finds a dead network by pings; reconnects after what the server's
 * `bye` asks for, else after an exponential backoff with full jitter.
 *
 * States: idle, connecting, online, waiting (for the next try), unauthorized
 * (the token was refused: connect again with a new one), closed.
 *
 * Calls its owner synchronously: onState(state, retryAtMs), onWelcome(frame),
 * onFrame(frame) for everything that answers no request.  Nothing of an old
 * socket is heard once it was given up.
 */

const SUB_PROTOCOL = 'chemchat.v1.json';
const BACKOFF_FIRST_MS = 500;
const BACKOFF_LAST_MS = 30000;
const CALM_MS = 5000;			/* online this long: nothing is failing */
const FAILURES_WHEN_SERVED = 2;
const WELCOME_DEADLINE_MS = 10000;
const ANSWER_DEADLINE_MS = 15000;
const PONG_DEADLINE_MS = 10000;
const PING_DEFAULT_MS = 25000;
const CLOSE_TOKEN = 4401;

export const systemClock = {
	now: () => Date.now(),
	setTimeout: (call, ms) => setTimeout(call, ms),
	clearTimeout: (timer) => clearTimeout(timer),
	random: () => Math.random(),
};

/* An error of the protocol (docs/protocol.md, "Error codes") or of ours:
 * `disconnected`, `timeout`, `closed`. */
export class ChemChatError extends Error {
	constructor({ code, message, field, retryAfterMs }) {
		super(message || code);
		this.name = 'ChemChatError';
		this.code = code;
		this.field = field;
		this.retryAfterMs = retryAfterMs;
	}
}

export class Link {
	#options;
	#clock;
	#state = 'idle';
	#socket = null;
	#requests = new Map();		/* ref -> { done, timer } */
	#lastRef = 0;
	#failures = 0;				/* connections in a row without a welcome */
	#tokenCloses = 0;			/* closes with 4401 in a row */
	#retryAfterMs = null;		/* what the server asked for, once */
	#timers = { retry: null, welcome: null, ping: null, calm: null };
	#pingMs = PING_DEFAULT_MS;
	#heardAtMs = 0;
	#heardFrames = 0;
	position;

	/*
	 * options: url, token (string or function, may be asynchronous),
	 * WebSocket, clock, position, onState, onWelcome, onFrame.
	 */
	constructor(options) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
		this.position = options.position;
	}

	get state() {
		return this.#state;
	}

	open() {
		if (this.#state === 'connecting' || this.#state === 'online')
			return;
		this.#failures = 0;
		this.#tokenCloses = 0;
		this.#connect();
	}

	/* Leaves for good; open() begins again. */
	close() {
		const socket = this.#socket;

		if (this.#state === 'online')
			this.#transmit({ type: 'bye' });
		this.#giveUp('closed');
		socket?.close(1000);
		this.#become('closed');
	}

	/*
	 * Something says the network may be there again (the browser's `online`,
	 * a page that becomes visible): do not sit out the backoff, and do not
	 * trust a socket that slept.
	 */
	wake() {
		if (this.#state === 'waiting' && this.#retryAfterMs === null)
			this.#connect();
		else if (this.#state === 'online' &&
			this.#clock.now() - this.#heardAtMs > 5000)
			this.#ping();
	}

	/* Asks; done(error, frame) is called exactly once. */
	request(type, fields, done) {
		if (this.#state !== 'online') {
			done(new ChemChatError({ code: 'disconnected' }));
			return;
		}
		const ref = (++this.#lastRef).toString(36);
		const timer = this.#clock.setTimeout(() => {
			this.#settle(ref, new ChemChatError({ code: 'timeout' }));
			this.#lost();
		}, ANSWER_DEADLINE_MS);

		this.#requests.set(ref, { done, timer });
		this.#transmit({ type, ref, ...fields });
	}

	async #connect() {
		this.#clock.clearTimeout(this.#timers.retry);
		this.#retryAfterMs = null;
		this.#become('connecting');
		const { token, url, WebSocket } = this.#options;
		let socket, secret;

		try {
			secret = typeof token === 'function' ? await token() : token;
			if (this.#state !== 'connecting' || this.#socket)
				return;
			socket = new WebSocket(url, SUB_PROTOCOL);
		} catch {
			this.#lost();
			return;
		}
		const mine = (call) => (event) => {
			if (this.#socket === socket)
				call(event);
		};

		this.#socket = socket;
		this.#timers.welcome = this.#clock.setTimeout(
			mine(() => this.#lost()), WELCOME_DEADLINE_MS);
		socket.onopen = mine(() => this.#transmit({
			type: 'hello', token: secret,
			...(this.position && { position: this.position }),
		}));
		socket.onmessage = mine((event) => this.#receive(event.data));
		socket.onclose = mine((event) => this.#closed(event.code));
		socket.onerror = () => {};	/* always followed by close */
	}

	#receive(text) {
		let frame;

		this.#heardAtMs = this.#clock.now();
		this.#heardFrames++;
		try {
			frame = JSON.parse(text);
		} catch {
			this.#lost();
			return;
		}
		if (typeof frame.position === 'string')
			this.position = frame.position;
		if (frame.ref !== undefined && this.#requests.has(frame.ref))
			this.#answered(frame);
		else if (frame.type === 'welcome')
			this.#welcomed(frame);
		else if (frame.type === 'bye')
			this.#retryAfterMs = frame.retryAfterMs ?? null;
		else if (frame.type === 'error' && this.#state === 'connecting')
			this.#refused(frame);
		else if (this.#state === 'online')
			this.#options.onFrame(frame);
	}

	/*
	 * A server that welcomes and hangs up is still a failing one; one that
	 * answers is none, however often the network between us is cut.
	 */
	#answered(frame) {
		const isError = frame.type === 'error';

		if (!isError)
			this.#failures = Math.min(this.#failures, FAILURES_WHEN_SERVED);
		this.#settle(frame.ref, isError ? new ChemChatError(frame) : null, frame);
	}

	#welcomed(frame) {
		this.#clock.clearTimeout(this.#timers.welcome);
		this.#pingMs = frame.pingMs ?? PING_DEFAULT_MS;
		this.#schedulePing();
		this.#timers.calm = this.#clock.setTimeout(() => {
			this.#failures = 0;
			this.#tokenCloses = 0;
		}, CALM_MS);
		this.#become('online');
		this.#options.onWelcome(frame);
	}

	/* An error in the place of welcome. */
	#refused(frame) {
		if (frame.code === 'invalid_token') {
			this.#unauthorized();
			return;
		}
		/* Told to everybody alike, unlike a bye's: so not all at once. */
		if (frame.retryAfterMs !== undefined)
			this.#retryAfterMs = frame.retryAfterMs + this.#backoffMs();
		this.#lost();
	}

	/*
	 * 4401 alone also means that hello came late or that a token ended while
	 * we were online: only its repetition says that this one is no good.
	 */
	#closed(code) {
		this.#tokenCloses = code === CLOSE_TOKEN ? this.#tokenCloses + 1 : 0;
		if (this.#tokenCloses > 3)
			this.#unauthorized();
		else
			this.#lost();
	}

	/* A token that is asked for anew each time may be good the next time. */
	#unauthorized() {
		if (typeof this.#options.token === 'function' && this.#failures < 2) {
			this.#lost();
			return;
		}
		const socket = this.#socket;

		this.#giveUp('disconnected');
		socket?.close();
		this.#become('unauthorized');
	}

	#lost() {
		const socket = this.#socket;
		const backoffMs = this.#backoffMs();

		this.#failures++;
		this.#giveUp('disconnected');
		socket?.close();
		if (this.#state !== 'closed')
			this.#wait(this.#retryAfterMs ?? backoffMs);
	}

	#backoffMs() {
		return this.#clock.random() * Math.min(BACKOFF_LAST_MS,
			BACKOFF_FIRST_MS * 2 ** this.#failures);
	}

	#wait(delayMs) {
		this.#clock.clearTimeout(this.#timers.retry);
		this.#timers.retry = this.#clock.setTimeout(
			() => this.#connect(), delayMs);
		this.#become('waiting', this.#clock.now() + delayMs);
	}

	/* Lets go of the socket; whatever was asked has no answer. */
	#giveUp(code) {
		this.#socket = null;
		for (const timer of Object.values(this.#timers))
			this.#clock.clearTimeout(timer);
		if (this.#state === 'online')
			this.#state = 'connecting';
		for (const ref of [...this.#requests.keys()])
			this.#settle(ref, new ChemChatError({ code }));
	}

	#settle(ref, error, frame) {
		const request = this.#requests.get(ref);

		this.#requests.delete(ref);
		this.#clock.clearTimeout(request.timer);
		request.done(error, frame);
	}

	#schedulePing() {
		this.#clock.clearTimeout(this.#timers.ping);
		this.#timers.ping = this.#clock.setTimeout(() => {
			if (this.#clock.now() - this.#heardAtMs >= this.#pingMs)
				this.#ping();
			else
				this.#schedulePing();
		}, this.#pingMs);
	}

	#ping() {
		const heardBefore = this.#heardFrames;

		this.#transmit({ type: 'ping' });
		this.#clock.clearTimeout(this.#timers.ping);
		this.#timers.ping = this.#clock.setTimeout(() => {
			if (this.#heardFrames === heardBefore)
				this.#lost();
			else
				this.#schedulePing();
		}, PONG_DEADLINE_MS);
	}

	#transmit(frame) {
		if (this.#socket?.readyState === 1)
			this.#socket.send(JSON.stringify(frame));
	}

	#become(state, retryAtMs) {
		if (state === this.#state && state !== 'waiting')
			return;
		this.#state = state;
		this.#options.onState(state, retryAtMs);
	}
}
