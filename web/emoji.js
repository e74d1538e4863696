/*
 * emoji - a small choice of them, and what it takes to pick one by keyboard
 */

import { arrowKeys, element } from './dom.js';

export const QUICK = ['👍', '❤️', '😂', '🎉', '👀', '✅'];

const CHOICE = [
	['👍', 'thumbs up'], ['👎', 'thumbs down'], ['❤️', 'heart'],
	['😂', 'laughing'], ['🙂', 'smile'], ['😮', 'surprised'], ['😢', 'sad'],
	['🙏', 'thanks'], ['🎉', 'party'], ['👏', 'applause'], ['👀', 'looking'],
	['✅', 'done'], ['❌', 'no'], ['❓', 'question'], ['❗', 'attention'],
	['💡', 'idea'], ['🔥', 'fire'], ['💯', 'hundred'], ['🚀', 'rocket'],
	['⏳', 'waiting'], ['☕', 'coffee'], ['🧪', 'test tube'],
	['⚗️', 'alembic'], ['🔬', 'microscope'], ['🧫', 'petri dish'],
	['🧬', 'DNA'], ['⚛️', 'atom'], ['☣️', 'biohazard'], ['☢️', 'radioactive'],
	['🥽', 'goggles'], ['🧤', 'gloves'], ['🧯', 'extinguisher'],
	['🌡️', 'thermometer'], ['⚖️', 'balance'], ['📈', 'up'], ['📉', 'down'],
	['📌', 'pinned'], ['📎', 'attached'], ['🗓️', 'calendar'], ['🍰', 'cake'],
];

/*
 * Opens beside `anchor`; onPick(emoji) is called once, or nothing is.  Closes
 * by Escape, by a click elsewhere, and gives the focus back.
 */
export function pickEmoji(anchor, onPick) {
	const back = document.activeElement;
	const from = anchor.getBoundingClientRect();
	const grid = element('div', { className: 'emoji-grid' },
		...CHOICE.map(([emoji, name]) => element('button', { type: 'button',
			className: 'emoji', title: name, 'aria-label': name,
			onclick: () => close(emoji) }, emoji)));
	const popup = element('dialog', { className: 'emoji-picker',
		'aria-label': 'Choose a reaction' }, grid);
	const close = (emoji) => {
		popup.close();
		popup.remove();
		if (back?.isConnected)
			back.focus({ preventScroll: true });
		if (emoji)
			onPick(emoji);
	};

	arrowKeys(grid, '.emoji', { isGrid: true });
	popup.oncancel = (event) => {
		event.preventDefault();
		close();
	};
	popup.onclick = (event) => {
		if (event.target === popup)
			close();
	};
	document.body.append(popup);
	popup.showModal();
	place(popup, from);
	grid.firstElementChild.focus();
}

/* Beside where its anchor was, wholly inside the window. */
function place(popup, from) {
	const box = popup.getBoundingClientRect();
	const left = Math.min(Math.max(8, from.right - box.width),
		innerWidth - box.width - 8);
	const above = from.top - box.height - 6;

	popup.style.left = `${left}px`;
	popup.style.top = `${above > 8 ? above
		: Math.min(from.bottom + 6, innerHeight - box.height - 8)}px`;
}
