#include "postgres.h"
#include "pgcompat.h"

#include "acting.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "errors.h"

static bool has_role(Oid caller, const char *name);
static pg_uuid_t *bound_actor(Oid caller);
static bool is_active(const pg_uuid_t *user_id);
static bool find_one(SPIPlanPtr *plan, const char *query, Oid type, Datum value,
					 pg_uuid_t *found);

PG_FUNCTION_INFO_V1(chemchat_acting);

bool
acting_is_trusted(void)
{
	Oid caller = GetOuterUserId();

	/* A reader who may write as one user must not write as any. */
	return has_role(caller, "chemchat_gateway") ||
		   has_role(caller, "chemchat_admin") ||
		   has_role(caller, "chemchat_owner") ||
		   (has_role(caller, "chemchat_reader") &&
			!has_role(caller, "chemchat_user"));
}

const pg_uuid_t *
acting_for(const pg_uuid_t *asked)
{
	const pg_uuid_t *bound;

	if (InSecurityRestrictedOperation())
		chat_raise(CHAT_FORBIDDEN, "actor",
				   "nobody acts inside a maintenance command");
	if (acting_is_trusted())
	{
		if (asked == NULL)
			chat_raise(CHAT_INVALID_ARGUMENT, "actor",
					   "actor must not be null");
		return asked;
	}
	bound = bound_actor(GetOuterUserId());
	if (bound == NULL)
		chat_raise(CHAT_FORBIDDEN, "actor",
				   "this role is bound to no user (chemchat.bind_role)");
	if (asked != NULL && memcmp(asked, bound, UUID_LEN) != 0)
		chat_raise(CHAT_FORBIDDEN, "actor",
				   "this role acts only for the user it is bound to");
	return bound;
}

/*
 * _acting(actor uuid) -> uuid: opens every function that has an actor.  Raises
 * unknown_user for one who does not exist or is deactivated.
 */
Datum
chemchat_acting(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *actor =
		acting_for(PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0));

	if (!is_active(actor))
		chat_raise(CHAT_UNKNOWN_USER, "actor", NULL);
	PG_RETURN_UUID_P(actor);
}

/* True for a superuser, whatever the role. */
static bool
has_role(Oid caller, const char *name)
{
	Oid role = get_role_oid(name, true);

	return OidIsValid(role) && has_privs_of_role(caller, role);
}

/* NULL when there is none. */
static pg_uuid_t *
bound_actor(Oid caller)
{
	static SPIPlanPtr plan;
	pg_uuid_t *actor = palloc(sizeof(pg_uuid_t));
	NameData name;

	namestrcpy(&name, GetUserNameFromId(caller, false));
	if (!find_one(&plan,
				  "SELECT l.user_id FROM chemchat.login_role AS l"
				  " WHERE l.role = $1",
				  NAMEOID, NameGetDatum(&name), actor))
		return NULL;
	return actor;
}

static bool
is_active(const pg_uuid_t *user_id)
{
	static SPIPlanPtr plan;
	pg_uuid_t id;

	return find_one(&plan,
					"SELECT u.id FROM chemchat.app_user AS u"
					" WHERE u.id = $1 AND u.deactivated_at IS NULL",
					UUIDOID, UUIDPGetDatum(user_id), &id);
}

/*
 * The one row's uuid, into found.  Reads under the caller's snapshot: a
 * reading function stays one snapshot.
 */
static bool
find_one(SPIPlanPtr *plan, const char *query, Oid type, Datum value,
		 pg_uuid_t *found)
{
	bool is_found;

	SPI_connect();
	if (*plan == NULL)
	{
		SPIPlanPtr made = SPI_prepare(query, 1, &type);

		if (made == NULL || SPI_keepplan(made) != 0)
			elog(ERROR, "could not prepare: %s",
				 SPI_result_code_string(SPI_result));
		*plan = made;
	}
	if (SPI_execute_plan(*plan, &value, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look up who acts");
	is_found = SPI_processed > 0;
	if (is_found)
	{
		bool is_null;
		Datum id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								 1, &is_null);

		memcpy(found, DatumGetUUIDP(id), UUID_LEN);
	}
	SPI_finish();
	return is_found;
}
