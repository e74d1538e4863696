/*
 * sw - the page opens without the network
 *
 * Keeps the page's own files, nothing else: no request of the API comes by
 * here.  The network is asked first, so that a new version is there at once;
 * when it is away or slow, what was kept answers.
 */

const CACHE = 'chemchat-page-1';
const PATIENCE_MS = 2500;
const FILES = [
	'/', '/actions.js', '/app.js', '/app.webmanifest', '/begin.js',
	'/chemchat-account.js', '/chemchat-follow.js', '/chemchat-link.js',
	'/chemchat-marks.js', '/chemchat-order.js', '/chemchat-outbox.js',
	'/chemchat-verbs.js', '/chemchat.js', '/composer.js', '/desk.js',
	'/details.js', '/dialog.js', '/doings.js', '/dom.js', '/edits.js',
	'/emoji.js', '/feed.js', '/format.js', '/heights.js', '/icon.svg', '/icons.js',
	'/keep.js', '/list.css', '/may.js', '/messages.css', '/model.js', '/pane.js',
	'/panes.css', '/people.js', '/place.js', '/replies.js', '/row.js',
	'/settings.js', '/shortcuts.js', '/sidebar.js', '/store.js', '/style.css',
	'/thread.js', '/timeline.js', '/virtual.js', '/writing.css',
];

self.addEventListener('install', (event) => {
	event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES))
		.then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
	event.waitUntil(caches.keys()
		.then((names) => Promise.all(names.filter((name) => name !== CACHE)
			.map((name) => caches.delete(name))))
		.then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
	const url = new URL(event.request.url);

	if (event.request.method === 'GET' && url.origin === self.location.origin &&
		FILES.includes(url.pathname))
		event.respondWith(answer(event.request, url.pathname));
});

async function answer(request, path) {
	const cache = await caches.open(CACHE);
	const kept = await cache.match(path);
	const fresh = fetch(request).then((response) => {
		if (response.ok)
			cache.put(path, response.clone());
		return response;
	});

	if (!kept)
		return fresh;
	fresh.catch(() => {});
	return Promise.race([
		fresh.then((response) => response.ok ? response : kept, () => kept),
		new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS)),
	]);
}
