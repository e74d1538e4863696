/*
 * format - times, names and text as people read them
 *
 * Pure: the present is given.
 */

const DAY_MS = 24 * 60 * 60 * 1000;

const timeOfDay = new Intl.DateTimeFormat(undefined,
	{ hour: 'numeric', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const shortWeekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const dayMonth = new Intl.DateTimeFormat(undefined,
	{ day: 'numeric', month: 'short' });
const dayMonthYear = new Intl.DateTimeFormat(undefined,
	{ day: 'numeric', month: 'long', year: 'numeric' });
const longDayMonth = new Intl.DateTimeFormat(undefined,
	{ weekday: 'long', day: 'numeric', month: 'long' });
const whole = new Intl.DateTimeFormat(undefined,
	{ dateStyle: 'full', timeStyle: 'medium' });

export function clockTime(ms) {
	return timeOfDay.format(ms);
}

export function wholeTime(ms) {
	return whole.format(ms);
}

/* Midnights between two moments, by the reader's calendar. */
function daysBetween(earlierMs, laterMs) {
	return Math.round((startOfDay(laterMs) - startOfDay(earlierMs)) / DAY_MS);
}

export function startOfDay(ms) {
	return new Date(ms).setHours(0, 0, 0, 0);
}

/* For the line between two days of a conversation. */
export function dayName(ms, nowMs) {
	const days = daysBetween(ms, nowMs);

	if (days === 0)
		return 'Today';
	if (days === 1)
		return 'Yesterday';
	if (days > 1 && days < 7)
		return weekday.format(ms);
	return new Date(ms).getFullYear() === new Date(nowMs).getFullYear()
		? longDayMonth.format(ms) : dayMonthYear.format(ms);
}

/* For the list: as short as it can be. */
export function shortTime(ms, nowMs) {
	const days = daysBetween(ms, nowMs);

	if (days <= 0)
		return clockTime(ms);
	if (days < 7)
		return shortWeekday.format(ms);
	return dayMonth.format(ms);
}

/* One or two letters for an avatar. */
export function initials(name) {
	const words = name.split(/[\s._-]+/u).filter(Boolean);
	const letters = words.length > 1
		? [first(words[0]), first(words.at(-1))] : [first(words[0] ?? '?')];

	return letters.join('').toUpperCase();
}

function first(word) {
	return Array.from(word)[0];
}

/* The same person has the same one of `count` colours everywhere. */
export function colourOf(id, count = 8) {
	let hash = 0;

	for (const char of id)
		hash = (hash * 31 + char.codePointAt(0)) >>> 0;
	return hash % count;
}

const SPECIAL = /\bhttps?:\/\/[^\s<>"']+|(?<![\p{L}\p{N}_@./-])@([a-z0-9._-]{1,64})/giu;

/*
 * Splits a text into plain parts, web addresses {text, href} and names
 * {text, handle} of those whom isKnown(handle) knows.
 */
export function textParts(text, isKnown = () => false) {
	const parts = [];
	let at = 0;

	for (const match of text.matchAll(SPECIAL)) {
		const handle = match[1]?.replace(/[._-]+$/u, '').toLowerCase();
		const shown = handle ? match[0].slice(0, handle.length + 1)
			: match[0].replace(/[.,;:!?)\]}]+$/u, '');

		if (match[1] && !isKnown(handle))
			continue;
		if (match.index > at)
			parts.push({ text: text.slice(at, match.index) });
		parts.push(match[1] ? { text: shown, handle }
			: { text: shown, href: shown });
		at = match.index + shown.length;
	}
	if (at < text.length)
		parts.push({ text: text.slice(at) });
	return parts;
}

/* Longer than this is folded, to no more than that. */
const FOLD_OVER_CHARS = 1300;
const FOLD_OVER_LINES = 20;
const FOLDED_CHARS = 560;
const FOLDED_LINES = 12;

const letters = new Intl.Segmenter();

/* The first parts of a long text, or null of one that is not long. */
export function folded(parts) {
	const text = parts.map((part) => part.text).join('');

	if (text.length <= FOLD_OVER_CHARS &&
		lineEnd(text, FOLD_OVER_LINES) === text.length)
		return null;
	const kept = [];
	let room = foldAt(text);

	/* an address that is cut still leads where it led */
	for (const part of parts) {
		if (room > 0)
			kept.push({ ...part, text: part.text.slice(0, room) });
		room -= part.text.length;
	}
	return kept;
}

/* Behind a line or a word; of one endless word, behind a letter. */
function foldAt(text) {
	const head = text.slice(0, FOLDED_CHARS);
	const line = lineEnd(text, FOLDED_LINES);
	const word = /\s\S*$/u.exec(head)?.index ?? 0;

	return line <= FOLDED_CHARS ? line : word > FOLDED_CHARS / 2 ? word
		: [...letters.segment(head)].at(-1).index;
}

/* Where so many lines of a text end. */
function lineEnd(text, lines) {
	let at = -1;

	for (let line = 0; line < lines; line++) {
		at = text.indexOf('\n', at + 1);
		if (at < 0)
			return text.length;
	}
	return at;
}

/* What stands before the caret and may become a name: {from, word}. */
export function namePrefix(text, caret) {
	const match = /(?:^|[^\p{L}\p{N}_@./-])@([\p{L}\p{N}._-]{0,40})$/u
		.exec(text.slice(0, caret));

	return match ? { from: caret - match[1].length - 1,
		word: match[1].toLowerCase() } : null;
}

/* The people whose handle or name begins so, the best first. */
export function matching(people, word, most = 8) {
	const score = ({ handle, displayName = '', userId }) => {
		const names = displayName.toLowerCase().split(/\s+/u);

		/* everybody is nobody's first thought */
		if (!userId && word === '')
			return 2;
		return handle.startsWith(word) ? 0
			: names.some((name) => name.startsWith(word)) ? 1
				: handle.includes(word) ? 2 : 3;
	};

	return people.map((person) => [score(person), person])
		.filter(([rank]) => rank < 3)
		.sort(([a, x], [b, y]) => a - b || (x.handle < y.handle ? -1 : 1))
		.slice(0, most).map(([, person]) => person);
}

/* One line of a text, cut. */
export function oneLine(text, most = 120) {
	const line = text.replace(/\s+/gu, ' ').trim();

	return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

export function plural(count, one, many = `${one}s`) {
	return `${count} ${count === 1 ? one : many}`;
}

/* One to three emoji and nothing else: shown larger. */
export function isEmojiOnly(text) {
	return /^(?:\p{RGI_Emoji}\s?){1,3}$/v.test(text.trim());
}
