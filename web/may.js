/*
 * may - what the page offers to whom
 *
 * The judge is chemchat.permission in the database; this only spares people
 * buttons that would be refused.  A test compares the two.  Pure.
 */

export const ROLES = ['owner', 'admin', 'member', 'guest'];

const RANK = { owner: 4, admin: 3, member: 2, guest: 1 };
const NEVER = 5;

/* verb -> the rank it takes in a group, in a channel */
const VERBS = {
	read: [1, 1], leave: [1, 1], send: [1, 2], edit: [1, 2],
	delete_own: [1, 2], react: [1, 2], mention_all: [2, 3], update: [3, 3],
	archive: [3, 3], publish: [NEVER, 3], invite: [3, 3], add_member: [3, 3],
	remove_member: [3, 3], set_role: [3, 3], delete_any: [3, 3],
	add_owner: [4, 4], remove_owner: [4, 4],
};
const DIRECT = ['read', 'send', 'edit', 'delete_own', 'react'];
const ARCHIVED = ['read', 'leave', 'delete_own', 'delete_any',
	'remove_member', 'remove_owner', 'archive'];

/* May one with this role in a conversation of this kind do that? */
export function may({ kind, role, archivedAt }, verb) {
	if (archivedAt && !ARCHIVED.includes(verb))
		return false;
	if (kind === 'direct')
		return DIRECT.includes(verb);
	return RANK[role] >= VERBS[verb][kind === 'channel' ? 1 : 0];
}

/* What may be done with a message: `edit` and `delete` ask whose it is. */
export function mayDo(known, verb, row) {
	if (verb === 'edit')
		return row.isOwn && may(known, 'edit');
	if (verb === 'delete')
		return may(known, row.isOwn ? 'delete_own' : 'delete_any');
	return may(known, verb);
}

/* The roles that one may give to somebody who has `role` now. */
export function rolesToGive(known, role) {
	if (!may(known, 'set_role'))
		return [];
	if (may(known, 'add_owner'))
		return ROLES;
	return role === 'owner' ? [] : ROLES.filter((other) => other !== 'owner');
}

export function mayRemove(known, role) {
	return may(known, role === 'owner' ? 'remove_owner' : 'remove_member');
}
