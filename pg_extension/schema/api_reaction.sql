-- A reaction is an entity of its own, with an ev: switched on and off, never
-- deleted.

-- No space, control or direction character: what is left is shown as it is.
-- Joiners and variation selectors are parts of emoji.
CREATE FUNCTION chemchat._check_emoji(emoji text) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF coalesce(_check_emoji.emoji, '') = '' THEN
		PERFORM chemchat._raise('invalid_argument', 'emoji',
			'emoji must not be null or empty');
	ELSIF octet_length(_check_emoji.emoji) > 64 THEN
		PERFORM chemchat._raise('too_large', 'emoji',
			'emoji is longer than 64 bytes');
	ELSIF _check_emoji.emoji COLLATE "C" ~ ('[\u0001-\u0020\u007f-\u00a0\u1680'
		'\u180e\u2000-\u200c\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000'
		'\ufeff\ufff9-\uffff]') THEN
		PERFORM chemchat._raise('invalid_argument', 'emoji',
			'emoji must not contain spaces or control characters');
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
	SELECT count(DISTINCT r.emoji)
				FILTER (WHERE r.emoji <> _check_reactions.emoji),
		   count(*) FILTER (WHERE r.user_id = _check_reactions.user_id)
	  INTO kinds, own
	  FROM chemchat.reaction AS r
	 WHERE r.conversation_id = _check_reactions.conversation_id
	   AND r.seq = _check_reactions.seq AND r.is_on;
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

CREATE FUNCTION chemchat.reactions(actor uuid, conversation_id uuid,
								   seqs bigint[])
RETURNS TABLE (seq bigint, user_id uuid, emoji text, event json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM chemchat._authorize(chemchat._acting(reactions.actor),
								reactions.conversation_id, 'read');
	IF array_ndims(reactions.seqs) > 1 THEN
		PERFORM chemchat._raise('invalid_argument', 'seqs',
			'seqs must have one dimension');
	ELSIF reactions.seqs IS NULL
	   OR array_position(reactions.seqs, NULL) IS NOT NULL THEN
		PERFORM chemchat._raise('invalid_argument', 'seqs',
			'seqs must not be null');
	ELSIF cardinality(reactions.seqs) > 200 THEN
		PERFORM chemchat._raise('too_large', 'seqs', 'more than 200 seqs');
	END IF;
	RETURN QUERY
	SELECT r.seq, r.user_id, r.emoji, chemchat._reaction_json(r)
	  FROM chemchat.reaction AS r
	  JOIN chemchat.message AS m
		ON m.conversation_id = r.conversation_id AND m.seq = r.seq
	 WHERE r.conversation_id = reactions.conversation_id
	   AND r.seq = ANY (reactions.seqs) AND r.is_on AND m.deleted_at IS NULL
	 ORDER BY r.seq, r.ev;
END
$$;
COMMENT ON FUNCTION chemchat.reactions(uuid, uuid, bigint[]) IS
	'who reacts to these messages, in the order in which they did';
