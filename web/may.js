/*
 * may - what the page offers to whom
 *
 * The judge is chemchat.permission in the database; this only spares people
 * buttons that would be refused.  Pure.
 */

const GROUP = {
	guest: ['send', 'react', 'leave'],
	member: ['send', 'react', 'leave', 'mention_all', 'invite'],
	admin: ['send', 'react', 'leave', 'mention_all', 'invite', 'delete_any',
		'update', 'archive', 'publish', 'add_member', 'remove_member', 'set_role'],
};

export const ROLES = ['owner', 'admin', 'member', 'guest'];

/* May one with this role in a conversation of this kind do that? */
export function may(known, verb) {
	const { kind, role } = known;

	if (known.archivedAt && !['leave', 'archive'].includes(verb))
		return false;
	if (kind === 'direct')
		return ['send', 'react'].includes(verb);
	if (role === 'owner')
		return true;
	if (kind === 'channel' && role === 'guest')
		return verb === 'leave';
	return GROUP[role]?.includes(verb) ?? false;
}

/* The roles that one may give to somebody who has `role` now. */
export function rolesToGive(known, role) {
	if (!may(known, 'set_role'))
		return [];
	if (known.role === 'owner')
		return ROLES;
	return role === 'owner' ? [] : ROLES.filter((other) => other !== 'owner');
}

export const mayRemove = (known, role) => may(known, 'remove_member') &&
	(known.role === 'owner' || role !== 'owner');
