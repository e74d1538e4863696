-- Adding, changing and removing: numbers, revs, what it changes for whom.
CALL t.people();
SELECT * FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'));
SELECT * FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'), 'admin');
SELECT * FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'), 'admin');
-- An admin adds and removes, but cannot touch an owner.
SELECT * FROM chemchat.add_member(t.id('carol'), t.id('lab'), t.id('dave'), 'guest');
SELECT state FROM t.refusal($$ SELECT chemchat.add_member(t.id('carol'), t.id('lab'), t.id('dave'), 'owner') $$);
SELECT state FROM t.refusal($$ SELECT chemchat.add_member(t.id('carol'), t.id('lab'), t.id('alice'), 'member') $$);
SELECT state FROM t.refusal($$ SELECT chemchat.remove_member(t.id('carol'), t.id('lab'), t.id('alice')) $$);
SELECT * FROM chemchat.remove_member(t.id('carol'), t.id('lab'), t.id('dave'));
SELECT * FROM chemchat.remove_member(t.id('carol'), t.id('lab'), t.id('dave'));
-- The row stays.
SELECT t.name(user_id) AS name, role, state, ev, rev, t.name(changed_by) AS changed_by
  FROM chemchat.member WHERE conversation_id = t.id('lab') ORDER BY ev;
-- Removed: nothing more of it, from any side.
SELECT count(*) FROM chemchat.heads(t.id('dave'));
SELECT state FROM t.refusal($$ SELECT chemchat.history(t.id('dave'), t.id('lab')) $$);
SELECT state FROM t.refusal($$ SELECT chemchat.send_message(t.id('dave'), t.id('lab'), t.id('k1'), 'x') $$);
SELECT t.name(user_id) AS name, conversation_id IS NULL AS is_nowhere FROM chemchat.live_heads(ARRAY[t.id('dave')]);
-- Back again, with a higher rev, and leaving by herself, twice.
SELECT * FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('dave'));
SELECT * FROM chemchat.remove_member(t.id('dave'), t.id('lab'), t.id('dave'));
SELECT * FROM chemchat.remove_member(t.id('dave'), t.id('lab'), t.id('dave'));
-- An owner makes an owner, and then may go.
SELECT * FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('bob'), 'owner');
SELECT * FROM chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('alice'));
SELECT * FROM chemchat.remove_member(t.id('bob'), t.id('lab'), t.id('carol'));
SELECT * FROM t.hole;

-- A conversation's members: the actor first, then as given, each once.
SELECT ev FROM chemchat.create_conversation(t.id('alice'), 'group', NULL,
	ARRAY[t.id('carol'), t.id('alice'), t.id('bob'), t.id('carol')], t.id('den'));
SELECT t.name(user_id) AS name, role, ev FROM chemchat.member
 WHERE conversation_id = t.id('den') ORDER BY ev;
SELECT ev FROM chemchat.create_conversation(t.id('alice'), 'direct', NULL, ARRAY[t.id('bob')], t.id('tea'));
SELECT t.name(user_id) AS name, role FROM chemchat.member WHERE conversation_id = t.id('tea') ORDER BY ev;
SELECT * FROM t.hole;
