/*
 * ws_rows - what a hostile client can say once it is a WebSocket
 *
 * [what it is, bytes, close code]
 */

import { frame } from './raw_socket.mjs';

const code = (number, reason = '') => Buffer.concat([
	Buffer.from([number >> 8, number & 255]), Buffer.from(reason)]);
const bytes = (...list) => Buffer.from(list);
const head = (first, length) => Buffer.concat([
	bytes(first, 0xff), (() => {
		const eight = Buffer.alloc(8);

		eight.writeBigUInt64BE(BigInt.asUintN(64, length));
		return eight;
	})(), bytes(1, 2, 3, 4)]);

export const VIOLATIONS = [
	['an unmasked text', bytes(0x81, 0x02, 0x7b, 0x7d), 1002],
	['an unmasked ping', bytes(0x89, 0x00), 1002],
	['an unmasked close', bytes(0x88, 0x02, 3, 232), 1002],
	['reserved bit 1', frame(0xc1, '{}'), 1002],
	['reserved bit 2', frame(0xa1, '{}'), 1002],
	['reserved bit 3', frame(0x91, '{}'), 1002],
	['a compressed frame that nobody agreed on', frame(0xc1,
		Buffer.from('aa56ca48cdc9c95728cf2fca4901', 'hex')), 1002],
	...[3, 4, 5, 6, 7].map((opcode) => [`opcode ${opcode}`,
		frame(0x80 | opcode, 'x'), 1002]),
	...[11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`,
		frame(0x80 | opcode, ''), 1002]),
	['a ping in parts', frame(0x09, 'x'), 1002],
	['a close in parts', frame(0x08, code(1000)), 1002],
	['a ping of 126 bytes', frame(0x89, 'x'.repeat(126)), 1002],
	['a close of 126 bytes', frame(0x88, code(1000, 'x'.repeat(124))), 1002],
	['a continuation of nothing', frame(0x80, 'x'), 1002],
	['a message inside a message', Buffer.concat([frame(0x01, 'x'),
		frame(0x81, 'y')]), 1002],
	['a length in the longer form', bytes(0x81, 0xfe, 0, 5, 1, 2, 3, 4), 1002],
	['a length in the longest form', head(0x81, 5n), 1002],
	['a length beyond 2^63', head(0x81, 1n << 63n), 1002],
	['a length of 2^62', head(0x81, 1n << 62n), 1009],
	['a length of 64 KiB and one', head(0x81, 65537n), 1009],
	['64 KiB and one in two parts', Buffer.concat([
		frame(0x01, 'x'.repeat(65536)), frame(0x80, 'y')]), 1009],
	['a binary message', frame(0x82, 'x'), 1003],
	['a byte that is never UTF-8', frame(0x81, bytes(0xff)), 1007],
	['half a character', frame(0x81, bytes(0x61, 0xc3)), 1007],
	['half a character at the end of the parts', Buffer.concat([
		frame(0x01, bytes(0xe2, 0x82)), frame(0x80, '')]), 1007],
	['a surrogate over two parts', Buffer.concat([
		frame(0x01, bytes(0xed)), frame(0x80, bytes(0xa0, 0x80))]), 1007],
	['a surrogate whose end never comes', frame(0x01, bytes(0xed, 0xa0)), 1007],
	['an overlong NUL', frame(0x81, bytes(0xc0, 0x80)), 1007],
	['a character beyond all', frame(0x81, bytes(0xf4, 0x90, 0x80, 0x80)), 1007],
	['endless empty fragments', Buffer.concat([frame(0x01, ''),
		...Array.from({ length: 1100 }, () => frame(0x00, ''))]), 1008],
	['a close of one byte', frame(0x88, bytes(3)), 1002],
	['a close reason that is no text', frame(0x88, Buffer.concat([code(1000),
		bytes(0xff, 0xfe)])), 1007],
	...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2999, 5000, 65535].map(
		(number) => [`close code ${number}`, frame(0x88, code(number)), 1002]),
];

export const GOODBYES = [
	['a close without a code', frame(0x88, ''), 1005],
	...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1014, 3000, 4999].map(
		(number) => [`close code ${number}`, frame(0x88, code(number, 'bye')),
			number]),
];
