import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { parseScript } from '../script.mjs';
import { Splitter } from '../../lib/redis_proxy.mjs';

const folder = new URL('../', import.meta.url);

test('a_line_is_who_verb_words_and_options', () => {
	assert.deepEqual(parseScript(
		'# nothing\n\nbob< message general "a # \\"b\\"" within 1.5s # so\n'), [{
		line: 3, source: 'bob< message general "a # \\"b\\"" within 1.5s # so',
		who: 'bob', sign: '<', verb: 'message', args: ['general', 'a # "b"'],
		options: { within: 1500 },
	}]);
	assert.deepEqual(parseScript('kill relay')[0].args, ['relay']);
	assert.deepEqual(parseScript('a> send g "by" by x')[0].args, ['g', 'by']);
});

test('a_line_nobody_understands_is_refused', () => {
	for (const bad of ['bob<', 'a> send g "open', 'a> send g "x" as',
		'a< message g "x" within soon'])
		assert.throws(() => parseScript(bad), /line 1/u, bad);
});

test('every_transcript_can_be_read', async () => {
	const names = (await readdir(folder)).filter((name) => name.endsWith('.chat'));

	assert.ok(names.length >= 8);
	for (const name of names)
		assert.ok(parseScript(
			await readFile(new URL(name, folder), 'utf8')).length, name);
});

test('a_redis_stream_is_cut_into_whole_replies_however_it_arrives', () => {
	const replies = ['+OK\r\n', ':42\r\n', '$-1\r\n', '*-1\r\n', '$0\r\n\r\n',
		'*3\r\n$8\r\nsmessage\r\n$2\r\nch\r\n$6\r\n*2\r\n$9\r\n',
		'*2\r\n*1\r\n:1\r\n$3\r\nabc\r\n', '-ERR no\r\n',
		'%1\r\n+k\r\n>2\r\n+a\r\n+b\r\n'];
	const bytes = Buffer.from(replies.join(''));

	for (const size of [1, 2, 3, 7, bytes.length]) {
		const cut = [];
		const splitter = new Splitter((reply) => cut.push(String(reply)));

		for (let at = 0; at < bytes.length; at += size)
			splitter.feed(bytes.subarray(at, at + size));
		assert.deepEqual(cut, replies, `in pieces of ${size}`);
	}
});
