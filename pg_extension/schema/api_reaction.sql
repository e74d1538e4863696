-- A reaction is an entity of its own, with an ev: switched on and off, never
-- deleted.

-- What is left is shown as it is: nothing invisible, by itself or inside, for
-- two that look the same would be two.  Joiners, variation selectors and tags
-- are parts of emoji, but only in their places: a selector or a joiner behind
-- what it belongs to, a joiner before something too, tags in the flag of a
-- region.
CREATE FUNCTION chemchat._check_emoji(emoji text) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	-- Spaces, controls, formats and directions (Zs Zl Zp Cc Cf), fillers and
	-- other blanks, and what is no character.
	unseen CONSTANT text := '[\u0001-\u0020\u007f-\u00a0\u00ad\u034f'
		'\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680'
		'\u17b4\u17b5\u180b-\u180f\u2000-\u200c\u200e\u200f\u2028-\u202f'
		'\u205f-\u206f\u2800\u3000\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\uffff'
		'\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3'
		'\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e001f'
		'\U000e0080-\U0010ffff]';
	selector CONSTANT text := '\ufe00-\ufe0f';
	joiner CONSTANT text := '\u200d';
	tag CONSTANT text := '[\U000e0020-\U000e007f]';
	region CONSTANT text :=
		'\U0001f3f4[\U000e0020-\U000e007e]{1,16}\U000e007f';
BEGIN
	IF coalesce(_check_emoji.emoji, '') = '' THEN
		PERFORM chemchat._raise('invalid_argument', 'emoji',
			'emoji must not be null or empty');
	ELSIF octet_length(_check_emoji.emoji) > 64 THEN
		PERFORM chemchat._raise('too_large', 'emoji',
			'emoji is longer than 64 bytes');
	ELSIF _check_emoji.emoji COLLATE "C" ~ unseen THEN
		PERFORM chemchat._raise('invalid_argument', 'emoji',
			'emoji must not contain spaces, control or invisible characters');
	ELSIF _check_emoji.emoji COLLATE "C" ~ format(
			'^[%1$s%2$s]|%2$s[%1$s%2$s]|[%1$s][%1$s]|%2$s$', selector, joiner)
		  OR regexp_replace(_check_emoji.emoji COLLATE "C", region, 'x', 'g')
			 ~ tag THEN
		PERFORM chemchat._raise('invalid_argument', 'emoji',
			'emoji must not have joiners, selectors or tags by themselves');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_emoji(text) IS
	'raises unless it can be a reaction';

CREATE FUNCTION chemchat._check_reactions(conversation_id uuid, seq bigint,
	user_id uuid, emoji text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
	kinds bigint;
	own bigint;
BEGIN
	-- From kind to kind by the index, since the conversation waits meanwhile
	-- and one kind may be of thousands.
	WITH RECURSIVE kind AS (
		(SELECT r.emoji FROM chemchat.reaction AS r
		  WHERE r.conversation_id = _check_reactions.conversation_id
			AND r.seq = _check_reactions.seq AND r.is_on
		  ORDER BY r.emoji LIMIT 1)
		UNION ALL
		SELECT following.emoji FROM kind CROSS JOIN LATERAL (
			SELECT r.emoji FROM chemchat.reaction AS r
			 WHERE r.conversation_id = _check_reactions.conversation_id
			   AND r.seq = _check_reactions.seq AND r.is_on
			   AND r.emoji > kind.emoji
			 ORDER BY r.emoji LIMIT 1) AS following)
	SELECT count(*) FILTER (WHERE kind.emoji <> _check_reactions.emoji),
		   count(*) FILTER (WHERE EXISTS (
				SELECT FROM chemchat.reaction AS r
				 WHERE r.conversation_id = _check_reactions.conversation_id
				   AND r.seq = _check_reactions.seq AND r.is_on
				   AND r.emoji = kind.emoji
				   AND r.user_id = _check_reactions.user_id))
	  INTO kinds, own FROM kind;
	IF kinds >= 50 THEN
		PERFORM chemchat._raise('too_large', 'emoji',
			'the message has 50 different reactions already');
	ELSIF own >= 20 THEN
		PERFORM chemchat._raise('too_large', 'emoji',
			'the user has 20 reactions to the message already');
	END IF;
END
$$;
COMMENT ON FUNCTION chemchat._check_reactions(uuid, bigint, uuid, text) IS
	'raises when a message has as many reactions as it may';

CREATE FUNCTION chemchat.react(actor uuid, conversation_id uuid, seq bigint,
	emoji text, is_on boolean DEFAULT true,
	OUT id uuid, OUT ev bigint, OUT rev bigint, OUT is_duplicate boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_rev CONSTANT bigint := chemchat._begin_write();
	me CONSTANT uuid := chemchat._acting(react.actor);
	written chemchat.reaction;
BEGIN
	PERFORM chemchat._check_emoji(react.emoji);
	IF react.is_on IS NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'is_on',
			'is_on must not be null');
	END IF;
	PERFORM chemchat._lock_to_write(me, react.conversation_id, 'react');
	IF (chemchat._message(react.conversation_id, react.seq)).deleted_at
	   IS NOT NULL THEN
		PERFORM chemchat._raise('deleted', 'seq');
	END IF;
	SELECT * INTO written FROM chemchat.reaction AS r
	 WHERE r.conversation_id = react.conversation_id AND r.seq = react.seq
	   AND r.user_id = me AND r.emoji = react.emoji;
	react.is_duplicate := coalesce(written.is_on, false) = react.is_on;
	IF NOT react.is_duplicate THEN
		IF react.is_on THEN
			PERFORM chemchat._check_reactions(react.conversation_id, react.seq,
											  me, react.emoji);
		END IF;
		INSERT INTO chemchat.reaction AS r (id, conversation_id, seq, user_id,
			emoji, is_on, ev, rev, changed_at)
		VALUES (coalesce(written.id, chemchat._uuid7()), react.conversation_id,
				react.seq, me, react.emoji, react.is_on,
				chemchat._head(react.conversation_id) + 1,
				greatest(coalesce(written.rev, 0) + 1, first_rev),
				clock_timestamp())
			ON CONFLICT ON CONSTRAINT reaction_of DO UPDATE
		   SET is_on = excluded.is_on, ev = excluded.ev, rev = excluded.rev,
			   changed_at = excluded.changed_at
		RETURNING * INTO written;
		INSERT INTO chemchat.change (conversation_id, ev, seq, id, kind)
		VALUES (written.conversation_id, written.ev, written.seq, written.id,
				'r');
		PERFORM chemchat._emit('r', written.conversation_id, written.id,
			written.ev, NULL, written.rev, written.changed_at,
			chemchat._reaction_json(written), false);
	END IF;
	react.id := written.id;
	react.ev := written.ev;
	react.rev := written.rev;
END
$$;
COMMENT ON FUNCTION chemchat.react(uuid, uuid, bigint, text, boolean) IS
	'switches the actor''s reaction to a message on or off';

-- A page is one of each message: the first reactions to a page of messages come
-- with it, however many one of them has; the others message by message.
CREATE FUNCTION chemchat.reactions(actor uuid, conversation_id uuid,
	seqs bigint[], after_ev bigint DEFAULT NULL, max_rows int DEFAULT 100)
RETURNS TABLE (seq bigint, user_id uuid, emoji text, event json, ev bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._authorize(chemchat._acting(reactions.actor),
								reactions.conversation_id, 'read');
	PERFORM chemchat._check_max_rows(reactions.max_rows, 1000);
	IF array_ndims(reactions.seqs) > 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'seqs',
			'seqs must have one dimension');
	ELSIF reactions.seqs IS NULL
	   OR array_position(reactions.seqs, NULL) IS NOT NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'seqs',
			'seqs must not be null');
	ELSIF cardinality(reactions.seqs) > 200 THEN
		PERFORM chemchat._raise('too_large', 'seqs', 'more than 200 seqs');
	ELSIF cardinality(reactions.seqs) * reactions.max_rows > 20000 THEN
		PERFORM chemchat._raise('too_large', 'max_rows',
			'more than 20000 reactions at once');
	END IF;
	RETURN QUERY
	SELECT r.seq, r.user_id, r.emoji, chemchat._reaction_json(r), r.ev
	  FROM (SELECT DISTINCT asked.seq
			  FROM unnest(reactions.seqs) AS asked (seq)) AS named
	  CROSS JOIN LATERAL (
			SELECT m.deleted_at FROM chemchat.message AS m
			 WHERE m.conversation_id = reactions.conversation_id
			   AND m.seq = named.seq LIMIT 1) AS message
	  CROSS JOIN LATERAL (
			SELECT * FROM chemchat.reaction AS o
			 WHERE o.conversation_id = reactions.conversation_id
			   AND o.seq = named.seq AND o.is_on
			   AND o.ev > coalesce(reactions.after_ev, 0)
			 ORDER BY o.ev LIMIT reactions.max_rows) AS r
	 WHERE message.deleted_at IS NULL
	 ORDER BY r.seq, r.ev;
END
$$;
COMMENT ON FUNCTION chemchat.reactions(uuid, uuid, bigint[], bigint, int) IS
	'who reacts to these messages, in the order in which they did; of each at most max_rows';
