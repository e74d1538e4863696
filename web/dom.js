/*
 * dom - elements without innerHTML
 *
 * Text reaches the page as text nodes only, so nothing anybody writes is
 * ever read as markup.
 */

import { icon } from './icons.js';

export const byId = (id) => document.getElementById(id);

/* element('p', {className: 'x', onclick: f}, 'text', child, ...) */
export function element(name, properties = {}, ...children) {
	const made = document.createElement(name);

	for (const [key, value] of Object.entries(properties)) {
		if (key.includes('-') || key === 'role' || key === 'for')
			made.setAttribute(key, value);
		else
			made[key] = value;
	}
	made.append(...children.filter((child) => child || child === 0));
	return made;
}

/* A button with a drawing instead of words; the words are its name. */
export function iconButton(name, label, onclick, more = {}) {
	return element('button', { type: 'button', className: 'icon', title: label,
		'aria-label': label, onclick, ...more }, icon(name, more.size ?? 20));
}

export function button(text, onclick, className = '') {
	return element('button', { type: 'button', className, onclick }, text);
}

/* Touches the page only when it says something else. */
export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

/*
 * Makes the children of `parent` those of `items`, in order, keeping an
 * element for as long as its key is there: focus, selection and scroll
 * position live in elements.
 */
export function reconcile(parent, items, make, update) {
	const keys = new Set(items.map((item) => item.key));
	const old = new Map();

	for (const node of [...parent.children]) {
		if (keys.has(node.dataset.key))
			old.set(node.dataset.key, node);
		else
			node.remove();
	}
	let next = parent.firstElementChild;

	for (const item of items) {
		const node = old.get(item.key) ?? make(item);

		node.dataset.key = item.key;
		update(node, item);
		if (node === next)
			next = next.nextElementSibling;
		else
			parent.insertBefore(node, next);
	}
}

/* Up and down, Home and End among the elements that match. */
export function arrowKeys(parent, selector, { isGrid = false } = {}) {
	parent.addEventListener('keydown', (event) => {
		const all = [...parent.querySelectorAll(selector)]
			.filter((node) => !node.hidden && !node.disabled);
		const at = all.indexOf(document.activeElement);
		const columns = isGrid && all.length > 1 ? columnsOf(all) : 1;
		const step = { ArrowDown: columns, ArrowUp: -columns,
			ArrowRight: isGrid ? 1 : 0, ArrowLeft: isGrid ? -1 : 0 }[event.key];
		const to = event.key === 'Home' ? 0 : event.key === 'End'
			? all.length - 1 : step && at >= 0 ? at + step : -1;

		if (to < 0 || to >= all.length || to === at)
			return;
		event.preventDefault();
		all[to].focus();
	});
}

function columnsOf(nodes) {
	const { top } = nodes[0].getBoundingClientRect();
	const count = nodes.findIndex(
		(node) => node.getBoundingClientRect().top > top + 2);

	return count < 1 ? nodes.length : count;
}

/* Said to those who listen instead of looking. */
export function announce(text) {
	const node = byId('announced');

	node.append(element('p', {}, text));
	while (node.childElementCount > 5)
		node.firstElementChild.remove();
}

/* A line at the bottom for a moment: something was done, or could not be. */
export function tell(text, { isError = false } = {}) {
	const node = byId('told');

	clearTimeout(tell.timer);
	setText(node, text);
	node.classList.toggle('is-error', isError);
	node.classList.add('is-shown');
	tell.timer = setTimeout(() => node.classList.remove('is-shown'), 5000);
}
