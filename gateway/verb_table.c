/*
 * The table of verb.h.  Functions and their shapes: docs/sql.md.
 */
#include "verb_rows.h"

/* clang-format off */
const Verb verbs[] = {
	/* ---- a session ---- */
	{ .type = "hello", .answer = "welcome", .handler = VERB_HELLO,
	  .flags = VERB_EARLY,
	  .args = { { "token", VERB_TEXT, VERB_FRAME, false, 0, FRAME_TEXT_MAX, 0 },
				{ "position", VERB_TEXT, VERB_FRAME, false, 0, FRAME_TEXT_MAX,
				  0 } } },
	{ .type = "ping", .answer = "pong", .handler = VERB_PING,
	  .flags = VERB_EARLY },
	{ .type = "bye", .answer = "", .handler = VERB_BYE, .flags = VERB_EARLY },

	/* ---- messages ---- */
	{ .type = "send", .answer = "ok", .method = "POST", .path = C "/messages",
	  .handler = VERB_SEND, .scope = AUTH_SEND,
	  .flags = VERB_WRITES | VERB_CREATES,
	  .args = { CONVERSATION,
				{ "clientMsgId", VERB_UUID, VERB_KEY, true, 0, 0, 0 },
				{ "body", VERB_TEXT, VERB_BODY, true, 1, FRAME_BODY_MAX, 0 },
				{ "replyTo", VERB_INT, VERB_BODY, false, 1, NUMBER_MAX,
				  VERB_ABSENT },
				{ "traceparent", VERB_TEXT, VERB_FRAME, false, 0, 55, 0 } } },
	{ .type = "edit", .answer = "done", .method = "PUT", .path = M,
	  .scope = AUTH_SEND, .flags = VERB_WRITES,
	  .sql = "SELECT e.id, e.ev, e.rev, e.edited_at, e.is_duplicate"
			 " FROM chemchat.edit_message(actor => $1::uuid,"
			 " conversation_id => $2::uuid, seq => $3::bigint,"
			 " body => $4::text, expected_rev => $5::bigint) AS e",
	  .args = { CONVERSATION,
				SEQ,
				{ "body", VERB_TEXT, VERB_BODY, true, 1, FRAME_BODY_MAX, 0 },
				{ "expectedRev", VERB_INT, VERB_MATCH, false, 0, NUMBER_MAX,
				  VERB_ABSENT } },
	  .columns = { { "id", VERB_UUID }, { "ev", VERB_INT }, { "rev", VERB_INT },
				   { "editedAt", VERB_TIME }, { "isDuplicate", VERB_BOOL } } },
	{ .type = "delete", .answer = "done", .method = "DELETE", .path = M,
	  .scope = AUTH_SEND, .flags = VERB_WRITES,
	  .sql = "SELECT d.id, d.ev, d.rev, d.deleted_at, d.is_duplicate"
			 " FROM chemchat.delete_message(actor => $1::uuid,"
			 " conversation_id => $2::uuid, seq => $3::bigint) AS d",
	  .args = { CONVERSATION, SEQ },
	  .columns = { { "id", VERB_UUID }, { "ev", VERB_INT }, { "rev", VERB_INT },
				   { "deletedAt", VERB_TIME }, { "isDuplicate", VERB_BOOL } } },
	{ .type = "react", .answer = "done", .method = "PUT",
	  .path = M "/reactions/{emoji}", .scope = AUTH_SEND, .flags = VERB_WRITES,
	  .sql = "SELECT r.id, r.ev, r.rev, r.is_duplicate"
			 " FROM chemchat.react(actor => $1::uuid,"
			 " conversation_id => $2::uuid, seq => $3::bigint,"
			 " emoji => $4::text, is_on => coalesce($5::boolean, true)) AS r",
	  .args = { CONVERSATION,
				SEQ,
				EMOJI,
				{ "isOn", VERB_BOOL, VERB_FRAME, false, 0, 0, 0 } },
	  .columns = { { "id", VERB_UUID }, EV_REV_COLUMNS } },
	{ .method = "DELETE",
	  .path = M "/reactions/{emoji}", .scope = AUTH_SEND, .flags = VERB_WRITES,
	  .sql = "SELECT r.id, r.ev, r.rev, r.is_duplicate"
			 " FROM chemchat.react(actor => $1::uuid,"
			 " conversation_id => $2::uuid, seq => $3::bigint,"
			 " emoji => $4::text, is_on => false) AS r",
	  .args = { CONVERSATION, SEQ, EMOJI },
	  .columns = { { "id", VERB_UUID }, EV_REV_COLUMNS } },
	{ .type = "revisions", .answer = "revisions", .method = "GET",
	  .path = M "/revisions", .scope = AUTH_READ,
	  .sql = "SELECT r.rev, r.body, r.written_at, r.rev"
			 " FROM chemchat.revisions(actor => $1::uuid,"
			 " conversation_id => $2::uuid, seq => $3::bigint,"
			 " after_rev => $4::bigint, max_rows => $5::int) AS r",
	  .args = { CONVERSATION, SEQ, NUMBER("afterRev", 0), ROWS(200, 200) },
	  .shape = VERB_ROWS, .list = "revisions",
	  .columns = { { "rev", VERB_INT }, { "body", VERB_TEXT },
				   { "writtenAt", VERB_TIME }, { VERB_NEXT, VERB_INT } } },
	{ .type = "reactions", .answer = "reactions", .method = "GET",
	  .path = M "/reactions", .scope = AUTH_READ,
	  .sql = "SELECT 0, r.event, r.ev"
			 " FROM chemchat.reactions(actor => $1::uuid,"
			 " conversation_id => $2::uuid, seqs => ARRAY[$3::bigint],"
			 " after_ev => $4::bigint, max_rows => $5::int) AS r",
	  .args = { CONVERSATION, SEQ, NUMBER("afterEv", 0), ROWS(200, 1000) },
	  .shape = VERB_EVENTS_LIST, .list = "reactions",
	  .columns = { EVENT_COLUMNS(VERB_INT) } },
	{ .type = "history", .answer = "history", .method = "GET",
	  .path = C "/messages", .scope = AUTH_READ,
	  .sql = WITH_REACTIONS("chemchat.history(actor => $1::uuid,"
							" conversation_id => $2::uuid,"
							" before_seq => $3::bigint,"
							" after_seq => $4::bigint, max_rows => $5::int)"),
	  .args = { CONVERSATION, NUMBER("beforeSeq", 1), NUMBER("afterSeq", 0),
				ROWS(50, 200) },
	  .shape = VERB_EVENTS_LIST, .list = "events", .list2 = "reactions",
	  .columns = { EVENT_COLUMNS(VERB_INT) } },
	{ .type = "thread", .answer = "thread", .method = "GET",
	  .path = M "/thread", .scope = AUTH_READ,
	  .sql = WITH_REACTIONS("chemchat.thread(actor => $1::uuid,"
							" conversation_id => $2::uuid,"
							" thread => $3::bigint,"
							" before_seq => $4::bigint, max_rows => $5::int)"),
	  .args = { CONVERSATION, SEQ, NUMBER("beforeSeq", 1), ROWS(50, 200) },
	  .shape = VERB_EVENTS_LIST, .list = "events", .list2 = "reactions",
	  .columns = { EVENT_COLUMNS(VERB_INT) } },
	{ .type = "mentions", .answer = "mentions", .method = "GET",
	  .path = "/v1/mentions", .scope = AUTH_READ,
	  .sql = "SELECT 0, m.event, m.cursor"
			 " FROM chemchat.mentions(actor => $1::uuid,"
			 " before => $2::text, max_rows => $3::int) AS m",
	  .args = { { "before", VERB_TEXT, VERB_QUERY, false, 1, 100, 0 },
				ROWS(50, 200) },
	  .shape = VERB_EVENTS_LIST, .list = "events",
	  .columns = { EVENT_COLUMNS(VERB_TEXT) } },
	{ .type = "changes", .answer = "changes", .method = "GET",
	  .path = C "/changes", .scope = AUTH_READ, .flags = VERB_POSITIONED,
	  .sql = "SELECT " POSITION ", c.status, c.upto, c.head, c.events"
			 " FROM chemchat.position() AS p,"
			 " chemchat.changes_since(actor => $1::uuid,"
			 " conversation_id => $2::uuid, after_ev => $3::bigint,"
			 " at_least => 0, max_rows => $4::int) AS c",
	  .args = { CONVERSATION,
				{ "afterEv", VERB_INT, VERB_QUERY, true, 0, NUMBER_MAX, 0 },
				ROWS(200, 500) },
	  .columns = { { "status", VERB_TEXT }, { "upto", VERB_INT },
				   { "head", VERB_INT }, { "events", VERB_JSON } } },

	/* ---- conversations ---- */
	{ .type = "heads", .answer = "heads", .method = "GET",
	  .path = "/v1/conversations", .scope = AUTH_READ,
	  .flags = VERB_POSITIONED | VERB_TAGGED,
	  .sql = "SELECT " POSITION ", h.conversation_id, h.ev, h.seq, h.read_seq,"
			 " h.delivered_seq, h.mentions, h.is_muted, h.muted_until,"
			 " h.notify, h.kind, h.title, h.topic, nullif(h.is_public, false),"
			 " h.archived_at, h.other_id, h.role, h.member_rev, h.last_at"
			 " FROM chemchat.position() AS p"
			 " LEFT JOIN chemchat.heads(actor => $1::uuid) AS h ON true",
	  .shape = VERB_ROWS, .list = "heads",
	  .columns = { { "conversationId", VERB_UUID }, { "ev", VERB_INT },
				   { "seq", VERB_INT }, { "readSeq", VERB_INT },
				   { "deliveredSeq", VERB_INT }, { "mentions", VERB_INT },
				   { "isMuted", VERB_BOOL }, { "mutedUntil", VERB_TIME },
				   { "notify", VERB_TEXT }, { "kind", VERB_TEXT },
				   { "title", VERB_TEXT }, { "topic", VERB_TEXT },
				   { "isPublic", VERB_BOOL }, { "archivedAt", VERB_TIME },
				   { "otherId", VERB_UUID }, { "role", VERB_TEXT },
				   { "memberRev", VERB_INT }, { "lastAt", VERB_TIME } } },
	{ .type = "conversation", .answer = "conversation", .method = "GET",
	  .path = C, .scope = AUTH_READ, .flags = VERB_TAGGED,
	  .sql = "SELECT c.event, c.member FROM chemchat.conversation("
			 "actor => $1::uuid, conversation_id => $2::uuid) AS c",
	  .args = { CONVERSATION },
	  .columns = { { "conversation", VERB_JSON }, { "member", VERB_JSON } } },
	{ .type = "create", .answer = "done", .method = "POST",
	  .path = "/v1/conversations", .scope = AUTH_MANAGE,
	  .flags = VERB_WRITES | VERB_CREATES | VERB_JOINS,
	  .sql = "SELECT c.id, c.ev, c.rev, c.created_at, c.is_duplicate"
			 " FROM chemchat.create_conversation(actor => $1::uuid,"
			 " kind => $2::text, title => $3::text,"
			 " members => coalesce($4::uuid[], '{}'),"
			 " conversation_id => $5::uuid, topic => $6::text,"
			 " is_public => coalesce($7::boolean, false)) AS c",
	  .args = { { "kind", VERB_TEXT, VERB_BODY, true, 1, ROLE_MAX, 0 },
				TEXT("title", TITLE_MAX),
				{ "members", VERB_UUIDS, VERB_BODY, false, 0, 1000, 0 },
				{ "conversationId", VERB_UUID, VERB_KEY, false, 0, 0, 0 },
				TEXT("topic", TOPIC_MAX),
				BOOL("isPublic") },
	  .columns = { { "conversationId", VERB_UUID }, { "ev", VERB_INT },
				   { "rev", VERB_INT }, { "createdAt", VERB_TIME },
				   { "isDuplicate", VERB_BOOL } } },
	{ .type = "update", .answer = "done", .method = "PATCH", .path = C,
	  .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT u.ev, u.rev, u.is_duplicate"
			 " FROM chemchat.update_conversation(actor => $1::uuid,"
			 " conversation_id => $2::uuid, title => $3::text,"
			 " topic => $4::text, is_public => $5::boolean,"
			 " is_archived => $6::boolean) AS u",
	  .args = { CONVERSATION, TEXT("title", TITLE_MAX),
				TEXT("topic", TOPIC_MAX), BOOL("isPublic"),
				BOOL("isArchived") },
	  .columns = { EV_REV_COLUMNS } },
	{ .type = "members", .answer = "members", .method = "GET",
	  .path = C "/members", .scope = AUTH_READ,
	  .sql = "SELECT 0, m.event, m.user_id::text"
			 " FROM chemchat.members(actor => $1::uuid,"
			 " conversation_id => $2::uuid, after => $3::uuid,"
			 " max_rows => $4::int) AS m",
	  .args = { CONVERSATION,
				{ "after", VERB_UUID, VERB_QUERY, false, 0, 0, 0 },
				ROWS(200, 500) },
	  .shape = VERB_EVENTS_LIST, .list = "members",
	  .columns = { EVENT_COLUMNS(VERB_TEXT) } },
	{ .type = "add", .answer = "done", .method = "PUT",
	  .path = C "/members/{userId}", .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT a.ev, a.rev, a.is_duplicate"
			 " FROM chemchat.add_member(actor => $1::uuid,"
			 " conversation_id => $2::uuid, user_id => $3::uuid,"
			 " role => coalesce($4::text, 'member')) AS a",
	  .args = { CONVERSATION, USER, ROLE(VERB_BODY, false) },
	  .columns = { EV_REV_COLUMNS } },
	{ .type = "remove", .answer = "done", .method = "DELETE",
	  .path = C "/members/{userId}", .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT r.ev, r.rev, r.is_duplicate"
			 " FROM chemchat.remove_member(actor => $1::uuid,"
			 " conversation_id => $2::uuid, user_id => $3::uuid) AS r",
	  .args = { CONVERSATION, USER },
	  .columns = { EV_REV_COLUMNS } },
	{ .type = "role", .answer = "done", .method = "PATCH",
	  .path = C "/members/{userId}", .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT r.ev, r.rev, r.is_duplicate"
			 " FROM chemchat.set_role(actor => $1::uuid,"
			 " conversation_id => $2::uuid, user_id => $3::uuid,"
			 " role => $4::text) AS r",
	  .args = { CONVERSATION, USER, ROLE(VERB_BODY, true) },
	  .columns = { EV_REV_COLUMNS } },
	{ .type = "invite", .answer = "done", .method = "POST",
	  .path = C "/invitations", .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT i.ev, i.rev, i.is_duplicate"
			 " FROM chemchat.invite(actor => $1::uuid,"
			 " conversation_id => $2::uuid, user_id => $3::uuid,"
			 " role => coalesce($4::text, 'member')) AS i",
	  .args = { CONVERSATION,
				{ "userId", VERB_UUID, VERB_BODY, true, 0, 0, 0 },
				ROLE(VERB_BODY, false) },
	  .columns = { EV_REV_COLUMNS } },
	{ .type = "join", .answer = "done", .method = "POST", .path = C "/join",
	  .scope = AUTH_MANAGE, .flags = VERB_WRITES | VERB_JOINS,
	  .sql = "SELECT j.ev, j.rev, j.is_duplicate"
			 " FROM chemchat.join_conversation(actor => $1::uuid,"
			 " conversation_id => $2::uuid) AS j",
	  .args = { CONVERSATION },
	  .columns = { EV_REV_COLUMNS } },
	{ .type = "leave", .answer = "done", .method = "POST", .path = C "/leave",
	  .scope = AUTH_MANAGE, .flags = VERB_WRITES | VERB_JOINS,
	  .sql = "SELECT l.ev, l.rev, l.is_duplicate"
			 " FROM chemchat.leave(actor => $1::uuid,"
			 " conversation_id => $2::uuid) AS l",
	  .args = { CONVERSATION },
	  .columns = { EV_REV_COLUMNS } },
	{ .type = "channels", .answer = "channels", .method = "GET",
	  .path = "/v1/channels", .scope = AUTH_READ,
	  .sql = "SELECT c.conversation_id, c.title, c.topic, c.members,"
			 " c.is_member, c.cursor"
			 " FROM chemchat.public_channels(actor => $1::uuid,"
			 " query => $2::text, after => $3::text, max_rows => $4::int) AS c",
	  .args = { { "query", VERB_TEXT, VERB_QUERY, false, 0, QUERY_MAX, 0 },
				{ "after", VERB_TEXT, VERB_QUERY, false, 0, 4096, 0 },
				ROWS(50, 200) },
	  .shape = VERB_ROWS, .list = "channels",
	  .columns = { { "conversationId", VERB_UUID }, { "title", VERB_TEXT },
				   { "topic", VERB_TEXT }, { "members", VERB_INT },
				   { "isMember", VERB_BOOL },
				   { VERB_NEXT, VERB_TEXT } } },
	{ .type = "invitations", .answer = "invitations", .method = "GET",
	  .path = "/v1/invitations", .scope = AUTH_READ,
	  .sql = "SELECT i.conversation_id, i.kind, i.title, i.invited_by,"
			 " i.invited_at FROM chemchat.invitations(actor => $1::uuid) AS i",
	  .shape = VERB_ROWS, .list = "invitations",
	  .columns = { { "conversationId", VERB_UUID }, { "kind", VERB_TEXT },
				   { "title", VERB_TEXT }, { "invitedBy", VERB_UUID },
				   { "invitedAt", VERB_TIME } } },

	/* ---- what one has read, and wants to hear ---- */
	{ .type = "mark", .answer = "done", .method = "POST", .path = C "/cursor",
	  .handler = VERB_MARK, .scope = AUTH_READ, .flags = VERB_WRITES,
	  .args = { CONVERSATION,
				{ "readSeq", VERB_INT, VERB_BODY, false, 0, NUMBER_MAX,
				  VERB_ABSENT },
				{ "deliveredSeq", VERB_INT, VERB_BODY, false, 0, NUMBER_MAX,
				  VERB_ABSENT } } },
	{ .type = "cursors", .answer = "cursors", .method = "GET",
	  .path = C "/cursors", .scope = AUTH_READ,
	  .sql = "SELECT c.user_id, c.read_seq, c.delivered_seq, c.rev"
			 " FROM chemchat.cursors(actor => $1::uuid,"
			 " conversation_id => $2::uuid) AS c",
	  .args = { CONVERSATION },
	  .shape = VERB_ROWS, .list = "cursors",
	  .columns = { { "userId", VERB_UUID }, { "readSeq", VERB_INT },
				   { "deliveredSeq", VERB_INT }, { "rev", VERB_INT } } },
	{ .type = "preference", .answer = "done", .method = "PUT",
	  .path = C "/preference", .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT s.rev, s.is_duplicate"
			 " FROM chemchat.set_preference(actor => $1::uuid,"
			 " conversation_id => $2::uuid, is_muted => $3::boolean,"
			 " muted_until => $4::timestamptz, notify => $5::text) AS s",
	  .args = { CONVERSATION,
				BOOL("isMuted"),
				{ "mutedUntil", VERB_TIME, VERB_BODY, false, 0, 0, 0 },
				{ "notify", VERB_TEXT, VERB_BODY, false, 1, ROLE_MAX, 0 } },
	  .columns = { { "rev", VERB_INT }, { "isDuplicate", VERB_BOOL } } },
	{ .type = "block", .answer = "done", .method = "PUT",
	  .path = "/v1/blocks/{userId}", .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT b.rev, b.is_duplicate FROM chemchat.block_user("
			 "actor => $1::uuid, user_id => $2::uuid, is_on => true) AS b",
	  .args = { USER },
	  .columns = { { "rev", VERB_INT }, { "isDuplicate", VERB_BOOL } } },
	{ .type = "unblock", .answer = "done", .method = "DELETE",
	  .path = "/v1/blocks/{userId}", .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT b.rev, b.is_duplicate FROM chemchat.block_user("
			 "actor => $1::uuid, user_id => $2::uuid, is_on => false) AS b",
	  .args = { USER },
	  .columns = { { "rev", VERB_INT }, { "isDuplicate", VERB_BOOL } } },

	/* ---- people ---- */
	{ .type = "state", .answer = "state", .method = "GET", .path = "/v1/me",
	  .scope = AUTH_READ,
	  .sql = "SELECT 0, s.event, NULL::text"
			 " FROM chemchat.my_state(actor => $1::uuid) AS s",
	  .shape = VERB_EVENTS_LIST, .list = "events",
	  .columns = { EVENT_COLUMNS(VERB_TEXT) } },
	{ .type = "profile", .answer = "done", .method = "PATCH", .path = "/v1/me",
	  .scope = AUTH_MANAGE, .flags = VERB_WRITES,
	  .sql = "SELECT u.rev, u.is_duplicate FROM chemchat.update_user("
			 "actor => $1::uuid, display_name => $2::text) AS u",
	  .args = { { "displayName", VERB_TEXT, VERB_BODY, true, 1, NAME_MAX, 0 } },
	  .columns = { { "rev", VERB_INT }, { "isDuplicate", VERB_BOOL } } },
	{ .type = "find", .answer = "users", .method = "GET",
	  .path = "/v1/users?query", .scope = AUTH_READ,
	  .sql = "SELECT 0, u.event, NULL::text FROM chemchat.find_users("
			 "actor => $1::uuid, query => $2::text, max_rows => $3::int) AS u",
	  .args = { { "query", VERB_TEXT, VERB_QUERY, true, 1, QUERY_MAX, 0 },
				ROWS(20, 50) },
	  .shape = VERB_EVENTS_LIST, .list = "users",
	  .columns = { EVENT_COLUMNS(VERB_TEXT) } },
	{ .type = "users", .answer = "users", .method = "GET", .path = "/v1/users",
	  .scope = AUTH_READ,
	  .sql = "SELECT 0, u.event, NULL::text FROM chemchat.users("
			 "actor => $1::uuid, ids => $2::uuid[]) AS u",
	  .args = { { "ids", VERB_UUIDS, VERB_QUERY, true, 1, 200, 0 } },
	  .shape = VERB_EVENTS_LIST, .list = "users",
	  .columns = { EVENT_COLUMNS(VERB_TEXT) } },

	/* ---- signing in (gateway/accounts_rest.c) ---- */
	{ .method = "POST", .path = "/v1/sessions", .handler = VERB_SIGN_IN,
	  .flags = VERB_PUBLIC,
	  .args = { { "handle", VERB_TEXT, VERB_BODY, true, 1, NAME_MAX, 0 },
				{ "password", VERB_TEXT, VERB_BODY, true, 1, PASSWORD_MAX_SIZE,
				  0 } } },
	{ .method = "POST", .path = "/v1/sessions/refresh",
	  .handler = VERB_REFRESH },
	{ .method = "DELETE", .path = "/v1/sessions/current",
	  .handler = VERB_SIGN_OUT },
	{ .method = "PUT", .path = "/v1/me/password", .handler = VERB_PASSWORD,
	  .scope = AUTH_MANAGE,
	  .args = { { "oldPassword", VERB_TEXT, VERB_BODY, true, 1,
				  PASSWORD_MAX_SIZE, 0 },
				{ "newPassword", VERB_TEXT, VERB_BODY, true, 1,
				  PASSWORD_MAX_SIZE, 0 } } },

	/* ---- REST only ---- */
	{ .method = "GET", .path = "/v1/events", .handler = VERB_EVENTS,
	  .scope = AUTH_READ,
	  .args = { { "cursor", VERB_TEXT, VERB_QUERY, false, 0, 256, 0 },
				{ "timeoutMs", VERB_INT, VERB_QUERY, false, 0, 30000,
				  25000 } } },
	{ .method = "GET", .path = "/v1/limits", .handler = VERB_LIMITS,
	  .scope = AUTH_READ, .flags = VERB_PUBLIC },
	{ .method = "GET", .path = "/openapi.yaml", .handler = VERB_DOCUMENT,
	  .scope = AUTH_READ, .flags = VERB_PUBLIC },
	{ .method = "GET", .path = "/asyncapi.yaml", .handler = VERB_DOCUMENT,
	  .scope = AUTH_READ, .flags = VERB_PUBLIC },
	{ .method = "GET",
	  .path = "/schemas/{name}", .handler = VERB_DOCUMENT, .scope = AUTH_READ,
	  .flags = VERB_PUBLIC },
};
/* clang-format on */

const int verb_count = sizeof(verbs) / sizeof(verbs[0]);
