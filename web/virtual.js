/*
 * virtual - a list of which only what is in sight is in the page
 *
 * Rows may be of any height: one that was never drawn is estimated, and what
 * the reader looks at stays where it is when the estimate proves wrong, when
 * rows come or go above it, and when a row changes its height.
 *
 * The source: {count, key(i), indexOf(key), estimate(i), base?}; fill(node, i)
 * draws.  With a `base`, the row at `i` is the one numbered `base + i` for as
 * long as the list is not cleared, so that a long list can grow at its ends
 * without being gone through.
 * Padding of the list stands for what is not there.
 */

import { Heights } from './heights.js';

const OVERSCAN_PX = 500;
const ROUNDS = 4;			/* of drawing and measuring until it settles */
const BOTTOM_PX = 60;		/* this near is at the bottom */

const NOTHING = { count: 0, key: () => '', indexOf: () => -1,
	estimate: () => 1 };

export class VirtualList {
	#scroll;
	#list;
	#make;
	#fill;
	#source = NOTHING;
	#heights = new Heights();
	#measured = new Map();		/* key -> px */
	#nodes = new Map();			/* key -> element */
	#first = 0;
	#end = 0;
	#signature = '';
	#base;						/* of what #heights holds */
	#sticksToEnd;
	#isAtEnd;
	#isOpen = false;			/* more rows exist below the last one */
	#held = null;				/* the key of a row that is to stay, once */
	#width = 0;

	/* `sticksToEnd`: whoever is at the end stays there as rows come. */
	constructor({ scroll, list, make, fill, sticksToEnd = false }) {
		this.#scroll = scroll;
		this.#list = list;
		this.#make = make;
		this.#fill = fill;
		this.#sticksToEnd = sticksToEnd;
		this.#isAtEnd = sticksToEnd;
		new ResizeObserver(() => this.#resized()).observe(scroll);
	}

	get isAtEnd() {
		return this.#isAtEnd;
	}

	get first() {
		return this.#first;
	}

	get end() {
		return this.#end;
	}

	/* Another list altogether: nothing of the old one is kept. */
	clear() {
		this.#source = NOTHING;
		this.#first = 0;
		this.#end = 0;
		this.#measured.clear();
		this.#nodes.clear();
		this.#list.replaceChildren();
		this.#signature = '';
		this.#base = undefined;
		this.#heights.reset(0);
		this.#isAtEnd = this.#sticksToEnd;
		this.#isOpen = false;
		this.#scroll.scrollTop = 0;
	}

	/* Draws; `signature` says when rows came or went. */
	render(source, signature) {
		/*
		 * The end of a window is not the end: who follows every page to its
		 * bottom would ask for all of them.
		 */
		if (this.#isOpen && signature !== this.#signature &&
			source.base === this.#base)
			this.#isAtEnd = false;
		this.#isOpen = Boolean(source.isOpen);
		const anchor = this.#anchor();

		this.#source = source;
		if (signature !== this.#signature) {
			this.#signature = signature;
			const by = source.base === undefined || this.#base === undefined
				? Infinity : source.base - this.#base;

			this.#base = source.base;
			this.#heights.rebase(by, source.count, (i) =>
				this.#measured.get(source.key(i)) ?? source.estimate(i));
		}
		this.#settle(anchor, true);
	}

	/* After the reader has scrolled: draws only what came into sight. */
	scrolled() {
		const { scrollTop, clientHeight, scrollHeight } = this.#scroll;

		this.#isAtEnd = scrollHeight - scrollTop - clientHeight < BOTTOM_PX;
		if (this.#source.count === 0)
			return;
		const top = this.#heights.offset(this.#first);
		const bottom = this.#heights.offset(this.#end);
		const isCovered = (this.#first === 0 || top <= scrollTop - 100) &&
			(this.#end === this.#source.count ||
			bottom >= scrollTop + clientHeight + 100);

		if (!isCovered)
			this.#settle(this.#anchor(), false);
	}

	/* This row begins where it does when the next drawing is done. */
	hold(key) {
		this.#isAtEnd = false;
		this.#held = key;
	}

	toEnd(behavior = 'instant') {
		if (behavior === 'smooth' && this.#end === this.#source.count &&
			!matchMedia('(prefers-reduced-motion: reduce)').matches) {
			this.#scroll.scrollTo({ top: this.#scroll.scrollHeight, behavior });
			return;
		}
		this.#isAtEnd = true;
		this.#settle(null, false);
	}

	/* Brings a row into sight and returns its element. */
	reveal(i, { where = 'nearest' } = {}) {
		if (i < 0 || i >= this.#source.count)
			return undefined;
		const { clientHeight, scrollTop } = this.#scroll;
		const top = this.#heights.offset(i);
		const bottom = this.#heights.offset(i + 1);

		if (where === 'middle' || top < scrollTop ||
			bottom > scrollTop + clientHeight) {
			const isAbove = where !== 'middle' && top < scrollTop;
			const offset = where === 'middle' ? clientHeight / 3
				: isAbove ? 8 : Math.max(0, clientHeight - (bottom - top) - 8);

			this.#isAtEnd = false;
			this.#settle({ key: this.#source.key(i), offset: -offset }, false);
			this.scrolled();
		}
		return this.#nodes.get(this.#source.key(i));
	}

	node(key) {
		return this.#nodes.get(key);
	}

	/* ---- drawing ---- */

	/*
	 * The first row that begins in sight, and how far down: the one it is cut
	 * off from may lose its day and its name when older ones come above it.
	 */
	#anchor() {
		if (this.#isAtEnd && this.#sticksToEnd)
			return null;
		if (this.#source.count === 0)
			return null;
		const { scrollTop, clientHeight } = this.#scroll;
		const held = this.#held === null ? -1 : this.#source.indexOf(this.#held);

		this.#held = null;
		if (held >= 0)
			return { key: this.#source.key(held),
				offset: scrollTop - this.#heights.offset(held) };
		const cut = this.#heights.indexAt(scrollTop);
		const i = cut + 1 < this.#source.count &&
			this.#heights.offset(cut + 1) < scrollTop + clientHeight
			? cut + 1 : cut;

		return { key: this.#source.key(i),
			offset: scrollTop - this.#heights.offset(i) };
	}

	#settle(anchor, isRefill) {
		for (let round = 0; round < ROUNDS; round++) {
			this.#place(anchor);
			this.#draw(isRefill && round === 0);
			const isChanged = this.#measure();

			this.#pad();
			this.#place(anchor);
			if (!isChanged && this.#isCovered())
				break;
		}
	}

	#isCovered() {
		const { scrollTop, clientHeight } = this.#scroll;

		return (this.#first === 0 ||
			this.#heights.offset(this.#first) <= scrollTop) &&
			(this.#end === this.#source.count ||
			this.#heights.offset(this.#end) >= scrollTop + clientHeight);
	}

	/* Puts the anchor where it was, or the end at the bottom. */
	#place(anchor) {
		if (this.#isAtEnd && this.#sticksToEnd) {
			this.#pad();
			this.#scroll.scrollTop = this.#scroll.scrollHeight;
			return;
		}
		const i = anchor ? this.#source.indexOf(anchor.key) : -1;

		if (i < 0)
			return;
		const wanted = this.#heights.offset(i) + anchor.offset;

		if (Math.abs(wanted - this.#scroll.scrollTop) >= 1) {
			this.#pad();
			this.#scroll.scrollTop = wanted;
		}
	}

	#range() {
		const { clientHeight } = this.#scroll;
		const scrollTop = this.#isAtEnd && this.#sticksToEnd
			? this.#heights.total - clientHeight : this.#scroll.scrollTop;
		const first = this.#heights.indexAt(scrollTop - OVERSCAN_PX);
		const last = this.#heights.indexAt(scrollTop + clientHeight +
			OVERSCAN_PX);

		return [first, Math.min(this.#source.count, last + 1)];
	}

	#draw(isRefill) {
		const [first, end] = this.#source.count ? this.#range() : [0, 0];
		const keys = new Set();

		for (let i = first; i < end; i++)
			keys.add(this.#source.key(i));
		for (const [key, node] of this.#nodes) {
			if (!keys.has(key)) {
				this.#drop(node);
				this.#nodes.delete(key);
			}
		}
		let next = this.#list.firstElementChild;

		for (let i = first; i < end; i++) {
			const key = this.#source.key(i);
			const known = this.#nodes.get(key);
			const node = known ?? this.#make();

			node.dataset.key = key;
			if (!known || isRefill)
				this.#fill(node, i);
			this.#nodes.set(key, node);
			if (node === next)
				next = next.nextElementSibling;
			else
				this.#list.insertBefore(node, next);
		}
		this.#first = first;
		this.#end = end;
		this.#pad();
	}

	/* Focus that leaves with its row goes to the list, not to the page. */
	#drop(node) {
		if (node.contains(document.activeElement))
			this.#scroll.focus({ preventScroll: true });
		node.remove();
	}

	#pad() {
		const top = this.#heights.offset(this.#first);
		const bottom = this.#heights.total - this.#heights.offset(this.#end);

		this.#list.style.paddingTop = `${top}px`;
		this.#list.style.paddingBottom = `${bottom}px`;
	}

	#measure() {
		let isChanged = false;

		for (let i = this.#first; i < this.#end; i++) {
			const key = this.#source.key(i);
			const px = this.#nodes.get(key).getBoundingClientRect().height;

			this.#measured.set(key, px);
			isChanged = this.#heights.set(i, px) || isChanged;
		}
		return isChanged;
	}

	#resized() {
		if (this.#scroll.clientWidth !== this.#width) {
			this.#width = this.#scroll.clientWidth;
			this.#measured.clear();
		}
		if (this.#source.count)
			this.#settle(this.#anchor(), false);
	}
}
