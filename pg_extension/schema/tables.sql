-- Conversation-scoped rows carry ev (1..n per conversation, given under the
-- conversation's row lock) and rev; user-scoped rows carry rev alone.  The
-- conversation's row is locked and never updated for a number: an updated
-- counter row gets slower with every update under any long snapshot.
--
-- Foreign keys stand where the API does not check by itself; message and
-- change have none: their writer holds the conversation's lock and has seen
-- the sender's membership.

CREATE TABLE chemchat.app_user (
	id uuid PRIMARY KEY,
	handle text NOT NULL UNIQUE CHECK (handle ~ '^[a-z0-9._-]{1,64}$'),
	display_name text NOT NULL,
	rev bigint NOT NULL CHECK (rev > 0),
	created_at timestamptz NOT NULL,
	deactivated_at timestamptz
);
COMMENT ON TABLE chemchat.app_user IS 'who can act';

CREATE TABLE chemchat.conversation (
	id uuid PRIMARY KEY,
	kind text NOT NULL CHECK (kind IN ('direct', 'group', 'channel')),
	title text,
	ev bigint NOT NULL CHECK (ev > 0),
	rev bigint NOT NULL CHECK (rev > 0),
	created_ev bigint NOT NULL,
	created_by uuid NOT NULL REFERENCES chemchat.app_user,
	created_at timestamptz NOT NULL
);
COMMENT ON TABLE chemchat.conversation IS
	'what is written in; its row lock orders everything with an ev';
COMMENT ON COLUMN chemchat.conversation.created_ev IS
	'the last ev of its creation, what a retry is answered';

CREATE TABLE chemchat.member (
	conversation_id uuid NOT NULL REFERENCES chemchat.conversation,
	user_id uuid NOT NULL REFERENCES chemchat.app_user,
	role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
	state text NOT NULL CHECK (state IN ('joined', 'removed')),
	ev bigint NOT NULL CHECK (ev > 0),
	rev bigint NOT NULL CHECK (rev > 0),
	changed_by uuid NOT NULL,
	changed_at timestamptz NOT NULL,
	PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX member_user ON chemchat.member (user_id);
COMMENT ON TABLE chemchat.member IS
	'who takes part, and who did: a removed member''s row stays';

CREATE TABLE chemchat.member_state (
	user_id uuid NOT NULL,
	conversation_id uuid NOT NULL,
	read_seq bigint NOT NULL DEFAULT 0 CHECK (read_seq >= 0),
	mentions int NOT NULL DEFAULT 0 CHECK (mentions >= 0),
	is_muted boolean NOT NULL DEFAULT false,
	rev bigint NOT NULL CHECK (rev > 0),
	PRIMARY KEY (user_id, conversation_id),
	FOREIGN KEY (conversation_id, user_id) REFERENCES chemchat.member
);
COMMENT ON TABLE chemchat.member_state IS
	'a member''s own view of a conversation; no row: nothing read, not muted';

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
	PRIMARY KEY (conversation_id, seq),
	CONSTRAINT message_client_msg_id
		UNIQUE (sender, conversation_id, client_msg_id)
);
COMMENT ON TABLE chemchat.message IS 'what was said';
COMMENT ON COLUMN chemchat.message.body_hash IS
	'FNV-1a of the first body: tells a retry from a misuse after an edit';

CREATE TABLE chemchat.change (
	conversation_id uuid NOT NULL,
	ev bigint NOT NULL,
	seq bigint,
	id uuid NOT NULL,
	kind "char" NOT NULL,
	PRIMARY KEY (conversation_id, ev)
);
COMMENT ON TABLE chemchat.change IS
	'what got which ev; kind m: message id and seq, c: conversation, p: user';

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

-- Reading and writing need a seat; what changes the seats needs a rank.
INSERT INTO chemchat.permission (kind, role, verb)
SELECT k.kind, r.role, r.verb
  FROM (VALUES ('group'), ('channel')) AS k (kind),
	   (VALUES ('owner', 'read'), ('owner', 'send'), ('owner', 'leave'),
			   ('owner', 'add_member'), ('owner', 'remove_member'),
			   ('owner', 'add_owner'), ('owner', 'remove_owner'),
			   ('admin', 'read'), ('admin', 'send'), ('admin', 'leave'),
			   ('admin', 'add_member'), ('admin', 'remove_member'),
			   ('member', 'read'), ('member', 'send'), ('member', 'leave'),
			   ('guest', 'read'), ('guest', 'send'), ('guest', 'leave'))
		   AS r (role, verb)
 WHERE NOT (k.kind = 'channel' AND r.role = 'guest' AND r.verb = 'send');
-- A direct conversation has two seats for ever.
INSERT INTO chemchat.permission (kind, role, verb)
SELECT 'direct', r.role, v.verb
  FROM (VALUES ('owner'), ('member')) AS r (role),
	   (VALUES ('read'), ('send'), ('leave')) AS v (verb);
