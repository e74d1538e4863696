/*
 * verb_rows - what the rows of the verb table are written with
 *
 * For verb_table.c alone.
 */
#ifndef CHEMCHAT_VERB_ROWS_H
#define CHEMCHAT_VERB_ROWS_H

#include "frames.h"
#include "password_hash.h"
#include "verb.h"

#define NUMBER_MAX ((INT64_C(1) << 53) - 1)
#define EMOJI_MAX  64
#define TITLE_MAX  1024
#define TOPIC_MAX  4096
#define NAME_MAX   256
#define QUERY_MAX  256
#define ROLE_MAX   16

#define C "/v1/conversations/{conversationId}"
#define M C "/messages/{seq}"

/* Arguments that many have. */
#define CONVERSATION                                                           \
	{                                                                          \
		"conversationId", VERB_UUID, VERB_PATH, true, 0, 0, 0                  \
	}
#define SEQ                                                                    \
	{                                                                          \
		"seq", VERB_INT, VERB_PATH, true, 1, NUMBER_MAX, 0                     \
	}
#define USER                                                                   \
	{                                                                          \
		"userId", VERB_UUID, VERB_PATH, true, 0, 0, 0                          \
	}
#define EMOJI                                                                  \
	{                                                                          \
		"emoji", VERB_TEXT, VERB_PATH, true, 1, EMOJI_MAX, 0                   \
	}
#define ROWS(normal, most)                                                     \
	{                                                                          \
		"maxRows", VERB_INT, VERB_QUERY, false, 1, most, normal                \
	}
#define NUMBER(name, least)                                                    \
	{                                                                          \
		name, VERB_INT, VERB_QUERY, false, least, NUMBER_MAX, VERB_ABSENT      \
	}
#define ROLE(place, is_required)                                               \
	{                                                                          \
		"role", VERB_TEXT, place, is_required, 1, ROLE_MAX, 0                  \
	}
#define TEXT(name, most)                                                       \
	{                                                                          \
		name, VERB_TEXT, VERB_BODY, false, 0, most, 0                          \
	}
#define BOOL(name)                                                             \
	{                                                                          \
		name, VERB_BOOL, VERB_BODY, false, 0, 0, 0                             \
	}

#define POSITION "p.system_id, p.timeline, p.lsn"

/* Messages, and the reactions to them: two arrays of one answer. */
#define WITH_REACTIONS(messages)                                               \
	"WITH m AS MATERIALIZED (SELECT h.seq, h.event FROM " messages " AS h)"    \
	" SELECT 0, m.event, m.seq FROM m"                                         \
	" UNION ALL SELECT 1, r.event, NULL FROM chemchat.reactions("              \
	"actor => $1::uuid, conversation_id => $2::uuid,"                          \
	" seqs => (SELECT coalesce(array_agg(m.seq), '{}') FROM m)) AS r"

#define EVENT_COLUMNS(next_kind)                                               \
	{ "part", VERB_INT }, { "event", VERB_JSON },                              \
	{                                                                          \
		VERB_NEXT, next_kind                                                   \
	}
#define EV_REV_COLUMNS                                                         \
	{ "ev", VERB_INT }, { "rev", VERB_INT },                                   \
	{                                                                          \
		"isDuplicate", VERB_BOOL                                               \
	}

#endif
