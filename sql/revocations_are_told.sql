-- Whoever is let in no more is told to the gateways: a session, all tokens of a
-- user, a password changed, a user deactivated, a bot's token.
CALL t.people();
CREATE FUNCTION t.revoked(since timestamptz DEFAULT NULL)
RETURNS TABLE (jti text, who text, voids boolean, is_deactivated boolean) LANGUAGE sql AS $$
	SELECT CASE WHEN r.jti = t.id('jti') THEN 'jti' ELSE 'an id' END || CASE WHEN r.jti IS NULL THEN NULL ELSE '' END,
		   t.name(r.user_id), r.tokens_from <= clock_timestamp(), r.is_deactivated
	  FROM chemchat.revocations(since) AS r
$$;
SELECT count(*) FROM t.revoked();

-- Accounts.
SELECT password_hash IS NULL AS has_none FROM chemchat.account('alice');
SELECT chemchat.set_password(t.id('alice'), '$argon2id$one', true);
SELECT chemchat.set_password(t.id('bob'), '$argon2id$two');
SELECT handle, t.name(user_id) AS name, password_hash, is_admin, deactivated_at IS NULL AS active, tokens_from IS NOT NULL AS voided
  FROM (VALUES ('alice'), ('bob'), ('carol'), ('Alice'), (NULL)) AS u (handle), chemchat.account(handle) ORDER BY 1;
-- NULL keeps.
SELECT chemchat.set_password(t.id('alice'), '$argon2id$three');
SELECT chemchat.set_password(t.id('bob'), NULL, true);
SELECT handle, password_hash, is_admin FROM (VALUES ('alice'), ('bob')) AS u (handle), chemchat.account(handle) ORDER BY 1;
SELECT u.c, r.* FROM (VALUES (1, 't.id(''nobody''), ''x'''), (2, 'NULL, ''x'''), (3, 't.id(''bob''), NULL'), (4, 't.id(''bob''), '''''),
	(5, 't.id(''bob''), repeat(''x'', 1025)')) AS u (n, c),
	   t.refusal(format('SELECT chemchat.set_password(%s)', c)) AS r ORDER BY n;

-- One session; again is nothing; what has expired is not told, and goes.
SELECT chemchat.revoke_session(t.id('jti'), t.id('carol'), now() + interval '1 hour');
SELECT chemchat.revoke_session(t.id('jti'), t.id('carol'), now() + interval '1 hour');
SELECT chemchat.revoke_session(t.id('old'), t.id('carol'), now() - interval '2 hours');
SELECT count(*) FROM chemchat.session_revocation;
SELECT chemchat.revoke_session(t.id('jti2'), t.id('carol'), now() - interval '1 minute');
SELECT count(*) FROM chemchat.session_revocation;
SELECT u.c, r.state, r.field FROM (VALUES (1, 'NULL, t.id(''bob''), now()'), (2, 't.id(''j''), t.id(''nobody''), now()'), (3, 't.id(''j''), t.id(''bob''), NULL')) AS u (n, c),
	   t.refusal(format('SELECT chemchat.revoke_session(%s)', c)) AS r ORDER BY n;
SELECT chemchat.revoke_user_tokens(t.id('dave'));
SELECT * FROM t.refusal($$ SELECT chemchat.revoke_user_tokens(t.id('nobody')) $$);
SELECT * FROM t.revoked() ORDER BY 2, 1;

-- Deactivated: she does nothing, is found by nobody, and stays where she is.
SELECT rev, is_duplicate FROM chemchat.deactivate_user(t.id('bob'));
SELECT rev, is_duplicate FROM chemchat.deactivate_user(t.id('bob'));
SELECT * FROM t.refusal($$ SELECT chemchat.deactivate_user(t.id('nobody')) $$);
SELECT handle, deactivated_at IS NOT NULL AS gone FROM (VALUES ('bob')) AS u (handle), chemchat.account(handle);
SELECT * FROM t.revoked() WHERE who = 'bob';
SELECT count(*) FROM chemchat.find_users(t.id('alice'), 'bob');
SELECT event->>'deactivatedAt' IS NOT NULL AS told FROM chemchat.users(t.id('alice'), ARRAY[t.id('bob')]);
SELECT state FROM t.refusal($$ SELECT chemchat.invite(t.id('alice'), t.id('lab'), t.id('bob')) $$);
SELECT state, message FROM t.refusal($$ SELECT chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k1'), 'x') $$);
SELECT state FROM t.refusal($$ SELECT chemchat.create_conversation(t.id('alice'), 'group', 'x', ARRAY[t.id('bob')]) $$);
SELECT rev, is_duplicate FROM chemchat.reactivate_user(t.id('bob'));
SELECT rev, is_duplicate FROM chemchat.reactivate_user(t.id('bob'));
-- Told as let in again, to whoever polls; not to whoever asks for all.
SELECT is_deactivated FROM chemchat.revocations(now() - interval '1 minute') WHERE user_id = t.id('bob');
SELECT seq FROM chemchat.send_message(t.id('bob'), t.id('lab'), t.id('k1'), 'x');

-- The same in the time before since is told once more: it may have been
-- committed late; what is older is not.
UPDATE chemchat.session_revocation SET revoked_at = now() - interval '1 hour';
UPDATE chemchat.app_user SET access_at = now() - interval '1 hour' WHERE id <> t.id('dave');
SELECT * FROM t.revoked(now() + interval '20 s');
SELECT count(*) FROM t.revoked(now() + interval '31 s');

-- Bots: made by an admin's account, let in by the hash of a token.
SELECT * FROM t.refusal($$ SELECT chemchat.create_bot(t.id('carol'), 'robo') $$);
CREATE TABLE bot AS SELECT * FROM chemchat.create_bot(t.id('alice'), 'robo', 'Robo');
SELECT b.id = bot.id AS same, b.rev, b.is_duplicate FROM bot, chemchat.create_bot(t.id('alice'), 'robo') AS b;
SELECT * FROM t.refusal($$ SELECT chemchat.create_bot(t.id('alice'), 'carol') $$);
SELECT event->>'isBot' AS bot FROM bot, chemchat.find_users(t.id('alice'), 'robo');
CREATE TABLE token AS SELECT t.id FROM bot,
	chemchat.create_bot_token(bot.id, sha256('secret'), ARRAY['send', 'read', 'send'], now() + interval '1 hour') AS t;
SELECT b.id = token.id AS same, b.user_id = bot.id AS bot, b.scopes, b.expires_at > now() AS valid
  FROM bot, token, chemchat.bot_token(sha256('secret')) AS b;
SELECT count(*) FROM chemchat.bot_token(sha256('other'));
SELECT u.c, r.* FROM (VALUES (1, 't.id(''bob''), sha256(''x''), ARRAY[''read'']'), (2, 'bot.id, ''\x00'', ARRAY[''read'']'), (3, 'bot.id, NULL, ARRAY[''read'']'),
	(4, 'bot.id, sha256(''x''), ARRAY[''all'']'), (5, 'bot.id, sha256(''x''), ''{}'''), (6, 'bot.id, sha256(''x''), NULL'),
	(7, 'bot.id, sha256(''x''), ARRAY[''read'', NULL]'), (8, 'bot.id, sha256(''secret''), ARRAY[''read'']')) AS u (n, c),
	   t.refusal(format('SELECT chemchat.create_bot_token(%s, NULL) FROM bot', c)) AS r ORDER BY n;
SELECT chemchat.deactivate_user(id) IS NOT NULL AS off FROM bot;
SELECT count(*) FROM chemchat.bot_token(sha256('secret'));
SELECT chemchat.reactivate_user(id) IS NOT NULL AS back FROM bot;
SELECT count(*) FROM chemchat.bot_token(sha256('secret'));
SELECT chemchat.revoke_bot_token(id) FROM token;
SELECT chemchat.revoke_bot_token(id) FROM token;
SELECT count(*) FROM chemchat.bot_token(sha256('secret'));
SELECT r.jti = token.id AS told FROM token, chemchat.revocations(now()) AS r WHERE r.jti IS NOT NULL;
SELECT * FROM t.refusal($$ SELECT chemchat.revoke_bot_token(t.id('none')) $$);
-- An expired one lets nobody in.
SELECT chemchat.create_bot_token(id, sha256('late'), ARRAY['read'], now()) IS NOT NULL AS made FROM bot;
SELECT count(*) FROM chemchat.bot_token(sha256('late'));
