/*
 * http_rows - what a hostile client can say before it is a WebSocket
 *
 * [what it is, bytes, status, how] - isLast: the answer closes the connection
 * (it must then be closed); withinMs: and not before fromMs.
 */

import { KEY, UPGRADE } from './raw_socket.mjs';

const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const post = (more, body = '') =>
	`POST /v1/conversations HTTP/1.1\r\nHost: a\r\n${more}\r\n${body}`;
const upgrade = (was, is) => {
	if (!UPGRADE.includes(was))
		throw new Error(`the upgrade has no ${was}`);
	return UPGRADE.replace(was, is);
};

export const REFUSED = [
	['TE with CL', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
		'0\r\n\r\n'), 400],
	['TE alone', post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n'), 501],
	['TE, spelled oddly', post('transfer-ENCODING: xchunked\r\n'), 501],
	['TE identity', post('Transfer-Encoding: identity\r\n'), 501],
	['TE with a blank before the colon', post('Transfer-Encoding : chunked\r\n'),
		400],
	['CL twice', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'abcde'), 400],
	['CL twice, differing', post('Content-Length: 5\r\ncontent-length: 6\r\n'), 400],
	['CL as a list', post('Content-Length: 5, 5\r\n', 'abcde'), 400],
	['CL with a sign', post('Content-Length: +5\r\n', 'abcde'), 400],
	['CL negative', post('Content-Length: -1\r\n'), 400],
	['CL hexadecimal', post('Content-Length: 0x5\r\n', 'abcde'), 400],
	['CL empty', post('Content-Length:\r\n'), 400],
	['CL of 64 KiB and one', post('Content-Length: 65537\r\n'), 413],
	['CL of 2^63', post('Content-Length: 9223372036854775808\r\n'), 413],
	['CL of 2^64 and 5', post('Content-Length: 18446744073709551621\r\n', 'abcde'),
		413],
	['a body with GET', get('/', 'Content-Length: 5\r\n'), 400],
	['bare LF', 'GET / HTTP/1.1\nHost: a\n\n', 400],
	['bare LF behind CRLF', 'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n', 400],
	['a bare CR', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', 400],
	['NUL', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', 400],
	['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
	['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
	['a list of Hosts', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 400],
	['a Host with a user', 'GET / HTTP/1.1\r\nHost: b@a\r\n\r\n', 400],
	['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
	['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', 400],
	['a header without colon', 'GET / HTTP/1.1\r\nHost: a\r\nabc\r\n\r\n', 400],
	['a whole URI without a host', 'GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n', 400],
	['a whole URI with a user', 'GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
	['a whole URI of another kind', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
	['a whole URI and no Host', 'GET http://a/ HTTP/1.1\r\n\r\n', 400],
	['a whole URI and a bad Host', 'GET http://a/ HTTP/1.1\r\nHost: b@a\r\n\r\n',
		400],
	['a host and no path', 'GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
	['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', 505],
	['HTTP/0.9', 'GET /\r\n', 400],
	['headers of more than 8 KiB', get('/', `X: ${'x'.repeat(8200)}\r\n`), 431],
	['headers that never end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(9000)}`, 431],
	['65 headers', get('/', 'X: y\r\n'.repeat(65)), 431],
	['a path of 2,000 bytes', get(`/${'x'.repeat(2000)}`), 414],
	['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 405],
	['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 405],
	['a method of nobody', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 501],
	['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 405],
	['h2c', get('/', 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n' +
		'HTTP2-Settings: AAMAAABkAAQAAP__\r\n'), 400],
	['another Upgrade', get('/v1/ws', 'Upgrade: TLS/1.0\r\n' +
		'Connection: Upgrade\r\n'), 400],
	['an expectation', post('Expect: a-miracle\r\nContent-Length: 1\r\n'), 417],
	['TLS where none is spoken',
		Buffer.from('160301000501000001000303', 'hex'), null],
	['what is no HTTP', '\x00\x01\x02\x03\n', 400],
	['Basic credentials', get('/v1/me', 'Authorization: Basic eDp5\r\n'), 401],
	['two Authorizations', get('/v1/me', 'Authorization: Bearer a\r\n'.repeat(2)),
		400],

	['no key', upgrade(`Sec-WebSocket-Key: ${KEY}\r\n`, ''), 400],
	['a key of 15 bytes', upgrade(KEY, 'dGhlIHNhbXBsZSBub25j'), 400],
	['a key with bits too many', upgrade(KEY, 'dGhlIHNhbXBsZSBub25jZR=='), 400],
	['a key that is not base64', upgrade(KEY, 'dGhlIHNhbXBs!SBub25jZQ=='), 400],
	['two keys', upgrade('Sec-WebSocket-Version',
		`Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version`), 400],
	['version 8', upgrade('Version: 13', 'Version: 8'), 426],
	['no version', upgrade('Sec-WebSocket-Version: 13\r\n', ''), 426],
	['a foreign Origin', upgrade('\r\n\r\n',
		'\r\nOrigin: https://evil.example\r\n\r\n'), 403],
	['the null Origin', upgrade('\r\n\r\n', '\r\nOrigin: null\r\n\r\n'), 403],
	['an Origin that begins as ours', upgrade('\r\n\r\n',
		'\r\nOrigin: https://app.example.evil\r\n\r\n'), 403],
	['no sub-protocol', upgrade('Sec-WebSocket-Protocol: chemchat.v1.json\r\n', ''),
		400],
	['an unknown sub-protocol', upgrade('chemchat.v1.json', 'chat'), 400],
	['an upgrade by POST', upgrade('GET ', 'POST '), 405],
	['frames before the answer', `${UPGRADE}\x81\x80abcd`, 400],
];

/* As they should be: what must not be refused along with the others. */
export const TAKEN = [
	['an upgrade', UPGRADE, 101],
	['an upgrade from our own page', upgrade('\r\n\r\n',
		'\r\nOrigin: http://chat.test\r\n\r\n'), 101],
	['an upgrade from an allowed page', upgrade('\r\n\r\n',
		'\r\nOrigin: https://app.example\r\n\r\n'), 101],
	['several sub-protocols', upgrade('chemchat.v1.json',
		'other, chemchat.v1.json'), 101],
	['the page', get('/'), 200],
	['a whole URI', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 200],
	['a whole URI of another Host', 'GET HTTPS://b:8443?x=/ HTTP/1.1\r\n' +
		'Host: a\r\n\r\n', 200],
	['a whole URI to upgrade, whose host is the page\'s', upgrade('/v1/ws',
		'http://chat.test/v1/ws').replace('Host: chat.test', 'Host: proxy')
		.replace('\r\n\r\n', '\r\nOrigin: http://chat.test\r\n\r\n'), 101],
	['an IPv6 Host with a port', 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n',
		200],
	['the page, asked for by HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 200],
	['64 headers', get('/', 'X: y\r\n'.repeat(63)), 200],
	['Content-Length: 0', get('/', 'Content-Length: 0\r\n'), 200],
	['a path out of the folder', get('/../../etc/passwd'), 404],
	['the same, encoded', get('/%2e%2e/%2e%2e/etc/passwd'), 404],
	['a question mark', get('/?x=1'), 200],
	['writing to the page', 'DELETE / HTTP/1.1\r\nHost: a\r\n\r\n', 405],
	['a socket without an upgrade', get('/v1/ws'), 426],
];

/*
 * Bodies of a member's POST .../messages: [what it is, body, status, how].
 * type: another Content-Type, null for none; offset: the problem says where.
 */
const key = '"clientMsgId":"01930000-0000-7000-8000-0000000000aa"';
const deep = (levels) => `{"body":"x","x":${'['.repeat(levels)}${']'.repeat(levels)}}`;

export const BODIES = [
	['the wrong type', '{"body":"x"}', 415, { type: 'text/plain' }],
	['no type', '{"body":"x"}', 415, { type: null }],
	['a form', 'body=x', 415, { type: 'application/x-www-form-urlencoded' }],
	['nothing', '', 400, {}],
	['no JSON', 'body', 400, { hasOffset: true }],
	['half of it', '{"body":"x"', 400, { hasOffset: true }],
	['NaN', '{"body":"x","seq":NaN}', 400, { hasOffset: true }],
	['Infinity', '{"body":"x","seq":-Infinity}', 400, { hasOffset: true }],
	['33 levels', deep(33), 400, { hasOffset: true }],
	['60,000 levels', deep(30000), 400, { hasOffset: true }],
	['a key twice', '{"body":"x","body":"y"}', 400, { hasOffset: true }],
	['half a surrogate pair', '{"body":"\\ud83d"}', 400, { hasOffset: true }],
	['the other half', '{"body":"\\udc4d"}', 400, { hasOffset: true }],
	['NUL, escaped', '{"body":"a\\u0000b"}', 400, { hasOffset: true }],
	['NUL', '{"body":"a\0b"}', 400, { hasOffset: true }],
	['a bare control character', '{"body":"a\nb"}', 400, { hasOffset: true }],
	['what is not UTF-8', '{"body":"\xff"}', 400, { hasOffset: true }],
	['bytes behind it', '{"body":"x"} x', 400, { hasOffset: true }],
	['two objects', '{"body":"x"}{"body":"y"}', 400, { hasOffset: true }],
	['an array', '[{"body":"x"}]', 400, { hasOffset: true }],
	['2^63', '{"body":"x","replyTo":9223372036854775808}', 400, {}],
	['1e999', '{"body":"x","replyTo":1e999}', 400, { hasOffset: true }],
	['a fraction', '{"body":"x","replyTo":1.5}', 400, { field: 'replyTo' }],
	['a number for a text', '{"body":7}', 400, { field: 'body' }],
	['no body in the body', `{${key}}`, 400, { field: 'body' }],
	['64 KiB of spaces around it', `{"body":"x"}${' '.repeat(65524)}`, 201, {}],
];
