-- While anybody is in a conversation, somebody who can still act owns it.
CALL t.people();
SELECT ev FROM chemchat.add_member(t.id('alice'), t.id('lab'), t.id('carol'));
SELECT f AS call, r.*
  FROM unnest(ARRAY['leave(t.id(''alice''), t.id(''lab''))',
		'remove_member(t.id(''alice''), t.id(''lab''), t.id(''alice''))',
		'set_role(t.id(''alice''), t.id(''lab''), t.id(''alice''), ''admin'')',
		'add_member(t.id(''alice''), t.id(''lab''), t.id(''alice''), ''guest'')']) WITH ORDINALITY AS u (f, n),
	   t.refusal('SELECT chemchat.' || f) AS r ORDER BY n;
-- An invitation to own is no owner yet; one who cannot act any more is none.
SELECT ev FROM chemchat.invite(t.id('alice'), t.id('lab'), t.id('dave'), 'owner');
SELECT state FROM t.refusal($$ SELECT chemchat.leave(t.id('alice'), t.id('lab')) $$);
SELECT ev FROM chemchat.set_role(t.id('alice'), t.id('lab'), t.id('bob'), 'owner');
SELECT is_duplicate FROM chemchat.deactivate_user(t.id('bob'));
SELECT state FROM t.refusal($$ SELECT chemchat.leave(t.id('alice'), t.id('lab')) $$);
SELECT is_duplicate FROM chemchat.reactivate_user(t.id('bob'));
SELECT ev FROM chemchat.leave(t.id('alice'), t.id('lab'));
SELECT ev, is_duplicate FROM chemchat.leave(t.id('alice'), t.id('lab'));
-- Owners unmake owners; the last to go turns off the light.
SELECT ev FROM chemchat.add_member(t.id('bob'), t.id('lab'), t.id('alice'), 'owner');
SELECT ev FROM chemchat.set_role(t.id('alice'), t.id('lab'), t.id('bob'), 'member');
SELECT state FROM t.refusal($$ SELECT chemchat.set_role(t.id('alice'), t.id('lab'), t.id('alice'), 'member') $$);
SELECT ev FROM chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('bob'));
SELECT ev FROM chemchat.remove_member(t.id('alice'), t.id('lab'), t.id('carol'));
SELECT state FROM t.refusal($$ SELECT chemchat.set_role(t.id('alice'), t.id('lab'), t.id('alice'), 'member') $$);
SELECT ev FROM chemchat.leave(t.id('alice'), t.id('lab'));
SELECT t.name(user_id) AS name, role, state FROM chemchat.member ORDER BY 1;
-- Whoever was invited may still come, and owns it.
SELECT ev FROM chemchat.join_conversation(t.id('dave'), t.id('lab'));
SELECT role FROM chemchat.heads(t.id('dave'));

-- One who is deactivated may come back, and would find nobody.
SELECT ev FROM chemchat.add_member(t.id('dave'), t.id('lab'), t.id('carol'));
SELECT is_duplicate FROM chemchat.deactivate_user(t.id('carol'));
SELECT state FROM t.refusal($$ SELECT chemchat.leave(t.id('dave'), t.id('lab')) $$);
SELECT ev FROM chemchat.remove_member(t.id('dave'), t.id('lab'), t.id('carol'));
SELECT ev FROM chemchat.leave(t.id('dave'), t.id('lab'));
SELECT is_duplicate FROM chemchat.reactivate_user(t.id('carol'));

-- Where all have left the first to come in is the owner, and the next is not:
-- a stranger, a guest of before, or who is invited as something else.
SELECT ev FROM chemchat.create_conversation(t.id('alice'), 'channel', 'News', ARRAY[t.id('bob')], t.id('news'), NULL, true);
SELECT ev FROM chemchat.set_role(t.id('alice'), t.id('news'), t.id('bob'), 'guest');
SELECT ev FROM chemchat.leave(t.id('bob'), t.id('news'));
SELECT ev FROM chemchat.leave(t.id('alice'), t.id('news'));
SELECT ev FROM chemchat.join_conversation(t.id('carol'), t.id('news'));
SELECT ev FROM chemchat.join_conversation(t.id('alice'), t.id('news'));
SELECT ev FROM chemchat.join_conversation(t.id('bob'), t.id('news'));
SELECT t.name(user_id) AS name, role, state FROM chemchat.member WHERE conversation_id = t.id('news') ORDER BY 1;
SELECT ev FROM unnest(ARRAY['alice', 'bob', 'carol']) AS n, chemchat.leave(t.id(n), t.id('news'));
SELECT ev FROM chemchat.join_conversation(t.id('bob'), t.id('news'));
SELECT role FROM chemchat.heads(t.id('bob'));
SELECT ev FROM chemchat.create_conversation(t.id('alice'), 'group', 'Den', '{}', t.id('den'));
SELECT ev FROM chemchat.invite(t.id('alice'), t.id('den'), t.id('dave'), 'guest');
SELECT ev FROM chemchat.leave(t.id('alice'), t.id('den'));
SELECT ev FROM chemchat.join_conversation(t.id('dave'), t.id('den'));
SELECT role FROM chemchat.heads(t.id('dave'));
-- An owner who is deactivated is one: nobody takes her place by coming in.
SELECT is_duplicate FROM chemchat.deactivate_user(t.id('bob'));
SELECT ev FROM chemchat.join_conversation(t.id('carol'), t.id('news'));
SELECT t.name(user_id) AS name, role FROM chemchat.member WHERE conversation_id = t.id('news') AND state = 'joined' ORDER BY 1;
-- An administrator names another for her.
BEGIN;
SELECT is_duplicate FROM chemchat.reactivate_user(t.id('bob'));
SELECT is_duplicate FROM chemchat.set_role(t.id('bob'), t.id('news'), t.id('carol'), 'owner');
SELECT is_duplicate FROM chemchat.deactivate_user(t.id('bob'));
COMMIT;
SELECT role FROM chemchat.heads(t.id('carol'));
SELECT * FROM t.hole;
