#include "auth_revoked.h"

#include <stdlib.h>

#include "uuid_map.h"
#include "xalloc.h"

typedef struct Withdrawn
{
	int64_t expires_s; /* of a token */
	int64_t tokens_from_us;
	bool is_deactivated;
} Withdrawn;

struct AuthRevoked
{
	UuidMap *tokens;
	UuidMap *users;
};

static Withdrawn *find(UuidMap *map, const Uuid *id, bool *is_new);
static void map_free(UuidMap **map);

AuthRevoked *
auth_revoked_new(void)
{
	AuthRevoked *revoked = xcalloc(1, sizeof(*revoked));

	revoked->tokens = uuid_map_new();
	revoked->users = uuid_map_new();
	return revoked;
}

void
auth_revoked_free(AuthRevoked **revoked)
{
	if (*revoked == NULL)
		return;
	map_free(&(*revoked)->tokens);
	map_free(&(*revoked)->users);
	free(*revoked);
	*revoked = NULL;
}

bool
auth_revoked_token(AuthRevoked *revoked, const Uuid *token_id,
				   int64_t expires_s)
{
	bool is_new;

	find(revoked->tokens, token_id, &is_new)->expires_s = expires_s;
	return is_new;
}

bool
auth_revoked_user(AuthRevoked *revoked, const Uuid *user_id,
				  int64_t tokens_from_us, bool is_deactivated)
{
	bool is_new;
	Withdrawn *user = find(revoked->users, user_id, &is_new);

	is_new = is_new || user->tokens_from_us != tokens_from_us ||
			 user->is_deactivated != is_deactivated;
	user->tokens_from_us = tokens_from_us;
	user->is_deactivated = is_deactivated;
	return is_new;
}

bool
auth_revoked_has(const AuthRevoked *revoked, const Identity *identity)
{
	static const Uuid none;
	const Withdrawn *user = uuid_map_get(revoked->users, &identity->user_id);

	if (user != NULL && user->is_deactivated)
		return true;
	/* A bot's tokens are taken back one by one; it has no password. */
	if (user != NULL && !identity->is_bot &&
		identity->issued_us < user->tokens_from_us)
		return true;
	return !uuid_equal(&identity->token_id, &none) &&
		   uuid_map_get(revoked->tokens, &identity->token_id) != NULL;
}

void
auth_revoked_forget(AuthRevoked *revoked, int64_t now_s)
{
	size_t cursor = 0;
	Uuid id;
	void *value;

	while (uuid_map_next(revoked->tokens, &cursor, &id, &value))
	{
		const Withdrawn *token = value;

		if (token->expires_s < now_s)
			free(uuid_map_remove(revoked->tokens, &id));
	}
}

size_t
auth_revoked_count(const AuthRevoked *revoked)
{
	return uuid_map_count(revoked->tokens) + uuid_map_count(revoked->users);
}

static Withdrawn *
find(UuidMap *map, const Uuid *id, bool *is_new)
{
	Withdrawn *found = uuid_map_get(map, id);

	*is_new = found == NULL;
	if (found == NULL)
	{
		found = xcalloc(1, sizeof(*found));
		uuid_map_put(map, id, found);
	}
	return found;
}

static void
map_free(UuidMap **map)
{
	size_t cursor = 0;
	Uuid id;
	void *value;

	while (uuid_map_next(*map, &cursor, &id, &value))
		free(value);
	uuid_map_free(map);
}
