/*
 * script - the words of a .chat file
 *
 *	# a comment
 *	users alice bob
 *	alice> send general "hi" as k1
 *	bob< message general "hi" within 2s
 *
 * A line becomes {line, who, sign, verb, args, options}: `who` and `sign` (>
 * does, < waits for, ! asserts now) only where a person speaks; a text in
 * quotes is a JSON string; `as NAME`, `is NAME`, `by NAME`, `within N s` are
 * options.  docs: tests/e2e/README.md.
 */

const OPTIONS = new Set(['as', 'is', 'by', 'within']);

export function parseScript(text) {
	const steps = [];

	text.split('\n').forEach((source, i) => {
		const words = splitWords(source, i + 1);

		if (words.length)
			steps.push(parseLine(words, i + 1, source));
	});
	return steps;
}

function parseLine(words, line, source) {
	const step = { line, source: source.trim(), args: [], options: {} };
	const speaker = words[0].isText ? null
		: /^([a-z]\w*)([<>!])$/u.exec(words[0].text);

	if (speaker) {
		[, step.who, step.sign] = speaker;
		words.shift();
	}
	if (!words.length)
		throw new Error(`line ${line}: nothing is done`);
	step.verb = words.shift().text;
	while (words.length) {
		const word = words.shift();

		if (word.isText || !OPTIONS.has(word.text))
			step.args.push(word.text);
		else if (!words.length)
			throw new Error(`line ${line}: ${word.text} what?`);
		else
			step.options[word.text] = words.shift().text;
	}
	if (step.options.within !== undefined)
		step.options.within = milliseconds(step.options.within, line);
	return step;
}

function splitWords(source, line) {
	const words = [];
	const pattern = /\s*(?:("(?:[^"\\]|\\.)*")|(#.*)|([^\s"#]+))/uy;
	const text = source.trimEnd();

	while (pattern.lastIndex < text.length) {
		const at = pattern.lastIndex;
		const match = pattern.exec(text);

		if (!match)
			throw new Error(`line ${line}: unreadable from ${text.slice(at)}`);
		if (match[1])
			words.push({ isText: true, text: JSON.parse(match[1]) });
		else if (match[3])
			words.push({ isText: false, text: match[3] });
	}
	return words;
}

function milliseconds(text, line) {
	const match = /^(\d+(?:\.\d+)?)(ms|s)$/u.exec(text);

	if (!match)
		throw new Error(`line ${line}: ${text} is no time (2s, 500ms)`);
	return Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}
