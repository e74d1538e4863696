-- Direct conversations: one per pair of users, whoever of them began it.

CREATE FUNCTION chemchat._direct_of(one uuid, other uuid) RETURNS uuid
LANGUAGE sql STABLE AS $$
	SELECT d.conversation_id FROM chemchat.direct AS d
	 WHERE d.low = least(_direct_of.one, _direct_of.other)
	   AND d.high = greatest(_direct_of.one, _direct_of.other)
$$;
COMMENT ON FUNCTION chemchat._direct_of(uuid, uuid) IS
	'the direct conversation of two users, NULL when there is none yet';

-- Both may begin at once: the second waits here for the first, and then finds
-- the other's.  Nobody has seen hers, so it goes without a trace.
CREATE FUNCTION chemchat._claim_direct(one uuid, other uuid, made uuid)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO chemchat.direct (low, high, conversation_id)
	VALUES (least(_claim_direct.one, _claim_direct.other),
			greatest(_claim_direct.one, _claim_direct.other),
			_claim_direct.made)
		ON CONFLICT DO NOTHING;
	IF FOUND THEN
		RETURN true;
	END IF;
	DELETE FROM chemchat.conversation AS c WHERE c.id = _claim_direct.made;
	RETURN false;
END
$$;
COMMENT ON FUNCTION chemchat._claim_direct(uuid, uuid, uuid) IS
	'makes a new conversation the one of its pair; or drops it and returns false, when there is one';
