/*
 * dom - elements without innerHTML
 *
 * Text reaches the page as text nodes only, so nothing anybody writes is
 * ever read as markup.
 */

export const byId = (id) => document.getElementById(id);

/* element('p', {className: 'x', onclick: f}, 'text', child, ...) */
export function element(name, properties = {}, ...children) {
	const made = document.createElement(name);

	for (const [key, value] of Object.entries(properties)) {
		if (key.includes('-') || key === 'role')
			made.setAttribute(key, value);
		else
			made[key] = value;
	}
	made.append(...children);
	return made;
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
