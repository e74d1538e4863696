/*
 * pane - the place beside a conversation: a thread, or the details
 *
 * Wide windows show it beside the messages, narrow ones instead of them.  It
 * holds one thing at a time, which draws itself: {title, open(body), render(),
 * close()}.
 */

import { byId, iconButton, setText } from './dom.js';

export class Pane {
	#held = null;
	#back = null;				/* where the focus was */
	#onClose;

	constructor(onClose) {
		this.#onClose = onClose;
		byId('pane-buttons').append(
			iconButton('close', 'Close', () => this.close()));
		byId('pane').addEventListener('keydown', (event) => {
			if (event.key === 'Escape' && !event.defaultPrevented) {
				event.preventDefault();
				this.close();
			}
		});
	}

	get held() {
		return this.#held;
	}

	open(held) {
		if (!this.#held)
			this.#back = document.activeElement;
		this.#held?.close?.();
		this.#held = held;
		byId('pane-body').replaceChildren();
		byId('pane-composer').hidden = true;
		byId('pane').hidden = false;
		byId('app').classList.add('has-pane');
		byId('pane-body').focus({ preventScroll: true });
		held.open(byId('pane-body'));
		this.render();
	}

	close() {
		if (!this.#held)
			return;
		this.#held.close?.();
		this.#held = null;
		byId('pane').hidden = true;
		byId('app').classList.remove('has-pane');
		if (this.#back?.isConnected)
			this.#back.focus({ preventScroll: true });
		this.#onClose();
	}

	render() {
		if (!this.#held)
			return;
		this.#held.render();
		/* It may have closed itself: its conversation is gone. */
		if (this.#held)
			setText(byId('pane-title'), this.#held.title);
	}
}
