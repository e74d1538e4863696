/* What the page offers is what the database allows. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { ROLES, may, mayDo, mayRemove, rolesToGive } from '../../../web/may.js';

const TABLES = new URL('../../../pg_extension/schema/tables.sql',
	import.meta.url);

test('the_page_offers_what_the_permission_table_allows', async () => {
	const sql = await readFile(TABLES, 'utf8');
	const ranks = [...sql.matchAll(/\('(\w+)', (\d), (\d)\)/gu)];
	const rank = Object.fromEntries([...sql.matchAll(
		/\('(owner|admin|member|guest)', (\d)\)/gu)]
		.map(([, role, number]) => [role, Number(number)]));
	const list = (after) => [...sql.slice(sql.indexOf(after))
		.split('AS v (verb)')[0].matchAll(/\('(\w+)'\)/gu)]
		.map(([, verb]) => verb).filter((verb) => !ROLES.includes(verb));
	const direct = list("SELECT 'direct', r.role");
	const archived = list("SELECT 'archived', r.role");

	assert.ok(ranks.length > 10 && direct.length > 3 && archived.length > 3);
	for (const [, verb, group, channel] of ranks) {
		for (const role of ROLES) {
			for (const [kind, wanted] of [['group', group], ['channel', channel]])
				assert.equal(may({ kind, role }, verb), rank[role] >= wanted,
					`${role} ${verb} in a ${kind}`);
			assert.equal(may({ kind: 'direct', role }, verb),
				direct.includes(verb), `${verb} with one other`);
			assert.equal(may({ kind: 'group', role, archivedAt: 'x' }, verb),
				archived.includes(verb) && rank[role] >= group,
				`${role} ${verb} in the archive`);
		}
	}
});

test('ones_own_message_is_ones_own', () => {
	const known = { kind: 'group', role: 'member' };

	assert.equal(mayDo(known, 'edit', { isOwn: true }), true);
	assert.equal(mayDo(known, 'edit', { isOwn: false }), false);
	assert.equal(mayDo(known, 'delete', { isOwn: false }), false);
	assert.equal(mayDo({ ...known, role: 'admin' }, 'delete', {}), true);
	assert.equal(mayDo({ ...known, role: 'admin' }, 'edit',
		{ isOwn: false }), false);
});

test('only_owners_make_and_unmake_owners', () => {
	const as = (role) => ({ kind: 'channel', role });

	assert.deepEqual(rolesToGive(as('owner'), 'owner'), ROLES);
	assert.ok(!rolesToGive(as('admin'), 'member').includes('owner'));
	assert.deepEqual(rolesToGive(as('admin'), 'owner'), []);
	assert.deepEqual(rolesToGive(as('member'), 'guest'), []);
	assert.equal(mayRemove(as('admin'), 'owner'), false);
	assert.equal(mayRemove(as('owner'), 'owner'), true);
});
