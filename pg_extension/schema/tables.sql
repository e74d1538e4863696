-- Conversation-scoped rows carry ev (1..n per conversation, given under the
-- conversation's row lock) and rev; user-scoped rows carry rev alone.  The
-- conversation's row is locked and never updated for a number: an updated
-- counter row gets slower with every update under any long snapshot.
--
-- Foreign keys stand where the API does not check by itself; message, what
-- hangs on it (message_revision, reaction, mention) and change have none: their
-- writer holds the conversation's lock and has seen the actor's membership.
-- New columns come last: a row type is what the _*_json functions read.

CREATE TABLE chemchat.app_user (
	id uuid PRIMARY KEY,
	handle text NOT NULL UNIQUE CHECK (handle ~ '^[a-z0-9._-]{1,64}$'),
	display_name text NOT NULL,
	rev bigint NOT NULL CHECK (rev > 0),
	created_at timestamptz NOT NULL,
	deactivated_at timestamptz,
	kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'bot')),
	changed_at timestamptz,
	tokens_from timestamptz,
	access_at timestamptz
);
CREATE INDEX app_user_access ON chemchat.app_user (access_at)
 WHERE access_at IS NOT NULL;
CREATE INDEX app_user_deactivated ON chemchat.app_user (id)
 WHERE deactivated_at IS NOT NULL;
CREATE INDEX app_user_handle ON chemchat.app_user (handle COLLATE "C")
 WHERE deactivated_at IS NULL;
CREATE INDEX app_user_name
	ON chemchat.app_user (lower(display_name) COLLATE "C")
 WHERE deactivated_at IS NULL;
COMMENT ON TABLE chemchat.app_user IS 'who can act';
COMMENT ON COLUMN chemchat.app_user.changed_at IS
	'of the last change of its rev; NULL: never changed';
COMMENT ON COLUMN chemchat.app_user.tokens_from IS
	'tokens issued before it are void';
COMMENT ON COLUMN chemchat.app_user.access_at IS
	'of the last change of who gets in: tokens_from or deactivated_at; NULL: none';

CREATE TABLE chemchat.conversation (
	id uuid PRIMARY KEY,
	kind text NOT NULL CHECK (kind IN ('direct', 'group', 'channel')),
	title text,
	ev bigint NOT NULL CHECK (ev > 0),
	rev bigint NOT NULL CHECK (rev > 0),
	created_ev bigint NOT NULL,
	created_by uuid NOT NULL REFERENCES chemchat.app_user,
	created_at timestamptz NOT NULL,
	topic text CHECK (octet_length(topic) <= 4096),
	is_public boolean NOT NULL DEFAULT false
		CHECK (kind = 'channel' OR NOT is_public),
	archived_at timestamptz,
	changed_at timestamptz
);
CREATE INDEX conversation_public
	ON chemchat.conversation (lower(coalesce(title, '')) COLLATE "C", id)
 WHERE is_public AND archived_at IS NULL;
COMMENT ON TABLE chemchat.conversation IS
	'what is written in; its row lock orders everything with an ev';
COMMENT ON COLUMN chemchat.conversation.created_ev IS
	'the last ev of its creation, what a retry is answered';
COMMENT ON COLUMN chemchat.conversation.changed_at IS
	'of the last change of its rev; NULL: never changed';

CREATE TABLE chemchat.direct (
	low uuid NOT NULL,
	high uuid NOT NULL CHECK (low < high),
	conversation_id uuid NOT NULL REFERENCES chemchat.conversation,
	PRIMARY KEY (low, high)
);
CREATE INDEX direct_high ON chemchat.direct (high);
COMMENT ON TABLE chemchat.direct IS
	'the one direct conversation of two users, the lower id first';

CREATE TABLE chemchat.member (
	conversation_id uuid NOT NULL REFERENCES chemchat.conversation,
	user_id uuid NOT NULL REFERENCES chemchat.app_user,
	role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
	state text NOT NULL CHECK (state IN ('joined', 'invited', 'removed')),
	ev bigint NOT NULL CHECK (ev > 0),
	rev bigint NOT NULL CHECK (rev > 0),
	changed_by uuid NOT NULL,
	changed_at timestamptz NOT NULL,
	PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX member_user ON chemchat.member (user_id, conversation_id);
CREATE INDEX member_owner ON chemchat.member (conversation_id)
 WHERE role = 'owner' AND state = 'joined';
COMMENT ON TABLE chemchat.member IS
	'who takes part, and who did: a removed member''s row stays';

CREATE TABLE chemchat.member_state (
	user_id uuid NOT NULL,
	conversation_id uuid NOT NULL,
	read_seq bigint NOT NULL DEFAULT 0 CHECK (read_seq >= 0),
	delivered_seq bigint NOT NULL DEFAULT 0 CHECK (delivered_seq >= 0),
	cursor_rev bigint NOT NULL DEFAULT 0 CHECK (cursor_rev >= 0),
	cursor_at timestamptz,
	is_muted boolean NOT NULL DEFAULT false,
	muted_until timestamptz,
	notify text NOT NULL DEFAULT 'all'
		CHECK (notify IN ('all', 'mentions', 'none')),
	preference_rev bigint NOT NULL DEFAULT 0 CHECK (preference_rev >= 0),
	preference_at timestamptz,
	PRIMARY KEY (user_id, conversation_id),
	FOREIGN KEY (conversation_id, user_id) REFERENCES chemchat.member
);
COMMENT ON TABLE chemchat.member_state IS
	'a member''s own view of a conversation; no row: nothing read, not muted';
COMMENT ON COLUMN chemchat.member_state.cursor_rev IS
	'of read_seq and delivered_seq; 0: never written, no event';
COMMENT ON COLUMN chemchat.member_state.preference_rev IS
	'of is_muted, muted_until and notify; 0: never written, no event';

CREATE TABLE chemchat.message (
	conversation_id uuid NOT NULL,
	seq bigint NOT NULL,
	ev bigint NOT NULL,
	rev bigint NOT NULL,
	body_hash bigint NOT NULL,
	created_at timestamptz NOT NULL,
	id uuid NOT NULL,
	sender uuid NOT NULL,
	client_msg_id uuid NOT NULL,
	body text,
	edited_at timestamptz,
	deleted_at timestamptz,
	reply_to bigint,
	thread bigint,
	mentions uuid[],
	PRIMARY KEY (conversation_id, seq),
	CONSTRAINT message_client_msg_id
		UNIQUE (sender, conversation_id, client_msg_id)
);
CREATE INDEX message_thread ON chemchat.message (conversation_id, thread, seq)
 WHERE thread IS NOT NULL;
COMMENT ON TABLE chemchat.message IS 'what was said';
COMMENT ON COLUMN chemchat.message.body_hash IS
	'FNV-1a of the first body: tells a retry from a misuse after an edit';
COMMENT ON COLUMN chemchat.message.reply_to IS 'seq of the message answered';
COMMENT ON COLUMN chemchat.message.thread IS
	'seq of the root of the thread it is in; NULL for the root itself';
COMMENT ON COLUMN chemchat.message.mentions IS
	'who is named in the body; the nil id first: everybody';

CREATE TABLE chemchat.message_revision (
	conversation_id uuid NOT NULL,
	seq bigint NOT NULL,
	rev bigint NOT NULL,
	body text NOT NULL,
	written_at timestamptz NOT NULL,
	PRIMARY KEY (conversation_id, seq, rev)
);
COMMENT ON TABLE chemchat.message_revision IS
	'what an edited message said before; goes with a deleted one';

CREATE TABLE chemchat.reaction (
	id uuid PRIMARY KEY,
	conversation_id uuid NOT NULL,
	seq bigint NOT NULL,
	user_id uuid NOT NULL,
	emoji text NOT NULL,
	is_on boolean NOT NULL,
	ev bigint NOT NULL,
	rev bigint NOT NULL,
	changed_at timestamptz NOT NULL,
	CONSTRAINT reaction_of UNIQUE (conversation_id, seq, user_id, emoji)
);
CREATE INDEX reaction_on ON chemchat.reaction (conversation_id, seq, ev)
 WHERE is_on;
CREATE INDEX reaction_kind
	ON chemchat.reaction (conversation_id, seq, emoji, user_id) WHERE is_on;
COMMENT ON TABLE chemchat.reaction IS
	'who reacted to a message, and who did: one that is off stays';

CREATE TABLE chemchat.mention (
	user_id uuid NOT NULL,
	conversation_id uuid NOT NULL,
	seq bigint NOT NULL,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (user_id, conversation_id, seq)
);
CREATE INDEX mention_recent
	ON chemchat.mention (user_id, created_at, conversation_id, seq);
CREATE INDEX mention_message ON chemchat.mention (conversation_id, seq);
COMMENT ON TABLE chemchat.mention IS 'who is told of which message';

CREATE TABLE chemchat.change (
	conversation_id uuid NOT NULL,
	ev bigint NOT NULL,
	seq bigint,
	id uuid NOT NULL,
	kind "char" NOT NULL,
	PRIMARY KEY (conversation_id, ev)
);
COMMENT ON TABLE chemchat.change IS
	'what got which ev; kind m: message and its seq, e: the same, edited or deleted, r: reaction and its message''s seq, c: conversation, p: user';

CREATE TABLE chemchat.block (
	user_id uuid NOT NULL REFERENCES chemchat.app_user,
	blocked_id uuid NOT NULL REFERENCES chemchat.app_user,
	is_on boolean NOT NULL,
	rev bigint NOT NULL CHECK (rev > 0),
	changed_at timestamptz NOT NULL,
	PRIMARY KEY (user_id, blocked_id),
	CHECK (user_id <> blocked_id)
);
COMMENT ON TABLE chemchat.block IS
	'who wants nothing from whom; one that is off stays';

CREATE TABLE chemchat.account (
	user_id uuid PRIMARY KEY REFERENCES chemchat.app_user,
	password_hash text,
	is_admin boolean NOT NULL DEFAULT false,
	changed_at timestamptz NOT NULL
);
COMMENT ON TABLE chemchat.account IS 'who may log in with a password';

CREATE TABLE chemchat.session_revocation (
	jti uuid PRIMARY KEY,
	user_id uuid NOT NULL REFERENCES chemchat.app_user,
	revoked_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL
);
CREATE INDEX session_revocation_at ON chemchat.session_revocation (revoked_at);
CREATE INDEX session_revocation_expiry
	ON chemchat.session_revocation (expires_at);
COMMENT ON TABLE chemchat.session_revocation IS
	'tokens that are void before they expire';

CREATE TABLE chemchat.bot_token (
	id uuid PRIMARY KEY,
	user_id uuid NOT NULL REFERENCES chemchat.app_user,
	token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
	scopes text[],
	created_by uuid,
	created_at timestamptz NOT NULL,
	expires_at timestamptz,
	revoked_at timestamptz
);
CREATE INDEX bot_token_revoked ON chemchat.bot_token (revoked_at)
 WHERE revoked_at IS NOT NULL;
CREATE INDEX bot_token_user ON chemchat.bot_token (user_id);
COMMENT ON TABLE chemchat.bot_token IS
	'what a bot shows to be let in: the SHA-256 of it';

CREATE TABLE chemchat.login_role (
	role name PRIMARY KEY,
	user_id uuid NOT NULL REFERENCES chemchat.app_user
);
COMMENT ON TABLE chemchat.login_role IS
	'which database role acts as which user';

CREATE TABLE chemchat.permission (
	kind text NOT NULL,
	role text NOT NULL,
	verb text NOT NULL,
	PRIMARY KEY (verb, kind, role)
);
COMMENT ON TABLE chemchat.permission IS
	'which role may do what in which kind of conversation; no row: no';

CREATE TABLE chemchat.epoch (
	no int PRIMARY KEY CHECK (no BETWEEN 0 AND 8191),
	system_id text NOT NULL,
	timeline int NOT NULL,
	database_oid oid NOT NULL,
	began timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	UNIQUE (system_id, timeline, database_oid)
);
COMMENT ON TABLE chemchat.epoch IS
	'the lives of this database; a rev is at least its epoch''s no << 40';

CREATE TABLE chemchat.stream (
	slot name PRIMARY KEY,
	system_id text NOT NULL,
	timeline int NOT NULL,
	shards int NOT NULL,
	partitions json NOT NULL,
	confirmed_lsn pg_lsn NOT NULL,
	events bigint NOT NULL,
	repair_cursor text,
	is_repaired boolean NOT NULL,
	updated_at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE chemchat.stream IS
	'how far the relay came, per slot: what a slot is checked against';

-- ANALYZE keeps samples of a column, also of rows that are gone: of these none.
ALTER TABLE chemchat.message ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE chemchat.message_revision ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE chemchat.account ALTER COLUMN password_hash SET STATISTICS 0;
ALTER TABLE chemchat.bot_token ALTER COLUMN token_hash SET STATISTICS 0;

-- Reading and writing need a seat; what changes the place or its seats needs a
-- rank.  A verb list per role, each role having those of the ones below it.
INSERT INTO chemchat.permission (kind, role, verb)
SELECT k.kind, r.role, v.verb
  FROM (VALUES ('group'), ('channel')) AS k (kind),
	   (VALUES ('owner', 4), ('admin', 3), ('member', 2), ('guest', 1))
		   AS r (role, rank),
	   (VALUES ('read', 1, 1), ('leave', 1, 1),
			   ('send', 1, 2), ('edit', 1, 2), ('delete_own', 1, 2),
			   ('react', 1, 2), ('mention_all', 2, 3),
			   ('update', 3, 3), ('archive', 3, 3), ('publish', 5, 3),
			   ('invite', 3, 3), ('add_member', 3, 3),
			   ('remove_member', 3, 3), ('set_role', 3, 3),
			   ('delete_any', 3, 3),
			   ('add_owner', 4, 4), ('remove_owner', 4, 4))
		   AS v (verb, group_rank, channel_rank)
 WHERE r.rank >= CASE k.kind WHEN 'group' THEN v.group_rank
					ELSE v.channel_rank END;
-- A direct conversation has two seats for ever.
INSERT INTO chemchat.permission (kind, role, verb)
SELECT 'direct', r.role, v.verb
  FROM (VALUES ('owner'), ('member')) AS r (role),
	   (VALUES ('read'), ('send'), ('edit'), ('delete_own'), ('react'))
		   AS v (verb);
-- The archive is one more kind: what it does not name waits until the
-- conversation is taken out of it.
INSERT INTO chemchat.permission (kind, role, verb)
SELECT 'archived', r.role, v.verb
  FROM (VALUES ('owner'), ('admin'), ('member'), ('guest')) AS r (role),
	   (VALUES ('read'), ('leave'), ('delete_own'), ('delete_any'),
			   ('remove_member'), ('remove_owner'), ('archive')) AS v (verb);
